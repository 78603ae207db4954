#!/usr/bin/env python3
"""test_compare.py -- sheaf compare from outside: its rows, its table, its JSON, and how it ends.

usage: test_compare.py SHEAF [PART OF A CASE'S NAME]

Nothing here judges a speed. Oracles: Python's json and statistics, and the order statistics of the
median computed from exact binomial numbers.
"""
import json
import math
import os
import pathlib
import pty
import re
import shutil
import signal
import statistics
import subprocess
import time

from cli_check import EXECUTORS, SHEAF, SHM, fails, left_behind, main, not_json, output, run


def compare(kernel, *arguments, columns=200, status=0):
    text = run("compare", kernel, *arguments, "--json", "c.json", status=status,
               environment={"COLUMNS": str(columns)}).stdout
    with open("c.json", encoding="utf-8") as file:
        table = json.load(file, parse_constant=not_json)
    pathlib.Path("c.json").unlink()
    return text, table


def test_compare_reductions():
    isas = None
    for kernel in ("max", "min", "sum"):
        text, table = compare(kernel, "--elements", "200003", "--repeat", "2", "--workers", "2")
        assert {"cpu", "isas", "caches", "memory_bytes", "kernel", "compiler", "cpus"} <= set(
            table["machine"])
        isas = table["machine"]["isas"]
        variants = [(row["executor"], row["isa"]) for row in table["rows"]]
        simd = [("threads", isas[-1])] if len(isas) > 1 else []
        assert variants == [
            ("sequential", None), *(("sequential", isa) for isa in isas), ("threads", "scalar"), *simd,
            ("processes", isas[-1]), ("processes", "scalar"), *[("processes", isas[-1])] * 3], variants
        for i, row in enumerate(table["rows"]):
            assert row["variant"] in text and row["kernel"] == kernel
            assert len(row["seconds"]) == 2 and min(row["seconds"]) == row["seconds_min"] > 0
            assert row["workers"] == (1 if row["executor"] == "sequential" else 2)
            assert row["same_bits"] or (kernel == "sum" and i == 0), row
            assert 0 < row["limit_fraction"] and 0 < row["speedup"]
            assert abs(row["bytes_per_second"] * row["seconds_median"] / (200003 * 8) - 1) < 1e-6
        assert set(table["read_limit"]) == {"1", "2"} and table["rounds"] == 2
    text, table = compare("max", "--elements", "1", "--repeat", "1", "--workers", "1")
    assert set(table["read_limit"]) == {"1"}
    assert not left_behind()


def test_compare_hash():
    text, table = compare("hash", "--elements", "100000", "--repeat", "2", "--workers", "2")
    executors = [row["executor"] for row in table["rows"]]
    assert sorted(set(executors), key=executors.index) == list(EXECUTORS)
    assert table["rows"][0]["variant"] == "sequential, scalar"
    assert all(row["same_bits"] for row in table["rows"]) and "2 rounds" in text
    assert not left_behind()


def svd_rows(table):
    """Rows of LAPACK's loop, if there is one, and ours."""
    loops = [row for row in table["rows"] if row["variant"].startswith("LAPACK loop")]
    assert [row["executor"] for row in loops] in ([], ["sequential", "threads"])
    assert table["rows"][:len(loops)] == loops and all(row["may_differ"] for row in loops)
    return loops, table["rows"][len(loops):]


def test_compare_svd():
    text, table = compare("svd", "--shape", "6x30x4", "--repeat", "2", "--workers", "2")
    isas = table["machine"]["isas"]
    loops, ours = svd_rows(table)
    assert [row["variant"] for row in ours] == [
        *(f"sequential, {isa}" for isa in isas), f"threads, {isas[-1]}",
        f"processes, {isas[-1]}, cold pool", f"processes, {isas[-1]}, warm pool"]
    assert all(row["same_bits"] for row in ours) and "2 rounds" in text
    assert "Against one core, 2 workers are" in text and (loops or "LAPACK loop:" in text)
    if loops:  # and then large matrices are LAPACK's, too
        text, table = compare("svd", "--shape", "70x66", "--repeat", "1", "--workers", "2")
        assert [row["variant"] for row in svd_rows(table)[1]] == [
            "sequential", "threads", "processes, cold pool", "processes, warm pool"]
    assert not left_behind()


def test_compare_sweep():
    text, sweep = compare("svd", "--sweep", "--shape", "1x9x3", "--repeat", "1", "--workers", "2")
    assert [series["varies"] for series in sweep["series"]] == ["matrices", "rows", "sides"]
    for series in sweep["series"]:
        shapes = [table["shape"] for table in series["comparisons"]]
        assert len(shapes) >= 5 and shapes == sorted(shapes)
        assert all("x".join(map(str, shape)) in text for shape in shapes)
        for table in series["comparisons"]:
            assert all(row["same_bits"] for row in svd_rows(table)[1])
        for crossing in series["crossings"]:  # from the seconds, as the help has it
            assert crossing["from"] is None or crossing["from"] in shapes
            assert (crossing["from"] is None) == (crossing["seconds_there"] is None)
        simd = next(crossing for crossing in series["crossings"] if crossing["way"] == "SIMD")
        pays = None
        for table in reversed(series["comparisons"]):
            rows = {row["variant"]: row["seconds"][0] for row in table["rows"]}
            isas = table["machine"]["isas"]
            if f"sequential, {isas[-1]}" not in rows or len(isas) == 1:
                continue
            if rows["sequential, scalar"] <= rows[f"sequential, {isas[-1]}"]:
                break
            pays = table["shape"]
        assert simd["from"] == pays, (simd, pays)
    assert "SIMD on one core, against scalar code, pays" in text
    if "TSAN_OPTIONS" not in os.environ:  # a minute there, and nothing on threads that is not above
        _, sweep = compare("svd", "--sweep", "--shape", "1x1x100001", "--repeat", "1", "--workers", "2")
        assert [table["shape"] for table in sweep["series"][1]["comparisons"]] == [[1, 1, 100001]]
    for arguments, why in ((("max", "--sweep"), "is for svd"), (("all", "--sweep"), "is for svd"),
                           (("svd", "--sweep", "--shape", "2x3x4x5"), "COUNTxMxN"),
                           (("svd", "--sweep", "--plot", "x.svg"), "without --plot"),
                           (("svd", "--sweep", "--shape", "3x0x4"), "not empty"),
                           (("svd", "--shape", "7"), "(..., m, n)")):
        fails(why, "compare", *arguments, status=2)
    assert not left_behind()


def test_compare_any_reduction():
    text, table = compare("std", "--elements", "30000", "--repeat", "2", "--workers", "2")
    assert table["rows"][0]["variant"] == "sequential, scalar" and "data copied" not in text
    assert all(row["same_bits"] and row["limit_fraction"] > 0 for row in table["rows"])
    for wrong in ("dot", "nothing"):  # dot takes two arrays
        fails("unknown kernel", "compare", wrong, status=2)


def test_compare_dtypes_and_fills():
    """A short run is repeated within its round; its time is one run's."""
    for dtype, fill in (("f32", "wide"), ("i64", "descending"), ("i32", "uniform")):
        text, table = compare("argmax", "--elements", "5000", "--repeat", "2", "--workers", "2",
                              "--dtype", dtype, "--fill", fill)
        assert (table["dtype"], table["fill"]) == (dtype, fill) and f"of 5000 {dtype}" in text
        assert all(row["same_bits"] for row in table["rows"])
        assert table["bytes"] == 5000 * (8 if dtype == "i64" else 4)
        rate = table["rows"][0]["bytes_per_second"] * table["rows"][0]["seconds_median"]
        assert abs(rate / table["bytes"] - 1) < 1e-6
    fails("--dtype", "compare", "max", "--dtype", "f99", status=2)
    fails("--fill", "compare", "max", "--fill", "full", status=2)
    fails("takes f64", "compare", "hash", "--dtype", "f32", status=2)
    fails("normal", "compare", "max", "--dtype", "i32", "--fill", "normal", status=2)


def test_compare_executors():
    text, table = compare("executors", "--repeat", "6", "--workers", "2")
    variants = [row["variant"] for row in table["rows"]]
    assert variants == [*EXECUTORS, "threads, asleep", "processes, asleep"]
    assert all(row["same_bits"] and row["seconds_min"] > 0 for row in table["rows"])
    assert "limit" not in text and "GB/s" not in text
    fails("takes no --elements", "compare", "executors", "--elements", "7", status=2)


def test_compare_scrypt():
    text, table = compare("scrypt", "--shape", "3x16x2x3", "--repeat", "2", "--workers", "2")
    isas = table["machine"]["isas"]
    assert [(row["executor"], row["isa"]) for row in table["rows"]] == [
        *(("sequential", isa) for isa in isas), ("threads", isas[-1]), ("processes", isas[-1])]
    assert all(row["same_bits"] for row in table["rows"]) and "GB/s" not in text
    for shape in ("8x128", "8x128x0x1"):
        fails("passwords x N x r x p", "compare", "scrypt", "--shape", shape, status=2)
    for kernel in ("scrypt", "svd"):
        fails("give sizes", "compare", kernel, "--shape", "scalar", status=2)
    fails("not --elements", "compare", "scrypt", "--elements", "3", status=2)
    fails("power of two", "compare", "scrypt", "--shape", "1x17x1x1", status=1)


def test_compare_all():
    os.mkdir("nobody")  # not the peers that may lie beside the program
    text, tables = compare("all", "--elements", "9000", "--shape", "2x16x3x3", "--repeat", "1", "--peers", "nobody")
    kernels = [table["kernel"] for table in tables["comparisons"]]
    assert tables["kernel"] == "all" and {"max", "sum", "hash", "svd", "scrypt", "executors"} <= set(kernels)
    assert all(re.search(rf"^{kernel}( of |: )", text, re.MULTILINE) for kernel in kernels)
    assert not left_behind()
    fails("not all", "compare", "all", "--plot", "x.svg", status=2)


PEER = """#!/bin/sh
[ "$SHEAF_PEER_KERNEL" = max ] || exit 0
if [ "$1" = --benchmark_list_tests ]; then
    echo "twin, max/2/iterations:1"
    echo "absent, max/1"
    exit
fi
while read -r name; do
    case $name in
    twin*) wc -c </dev/shm/$SHEAF_PEER_KEY >size; printf 'done\\t0.125\\t0\\t\\n' ;;
    *) printf 'fail\\tnowhere to be found\\n' ;;
    esac
done
echo "$SHEAF_PEER_SHAPE $SHEAF_PEER_WORKERS" >ended
"""


def test_compare_peers():
    """A peer is told what to do and where the array is; one that cannot says why; both end with us."""
    os.mkdir("peers")
    pathlib.Path("peers", "twin").write_text(PEER)
    pathlib.Path("peers", "twin").chmod(0o755)
    pathlib.Path("peers", "notes").write_text("no program")
    text, table = compare("max", "--elements", "30000", "--repeat", "2", "--workers", "2", "--peers", "peers")
    twin, absent = table["rows"][-2:]
    assert twin["variant"] == "twin, max" and twin["executor"] == "peer" and twin["workers"] == 2
    assert twin["seconds"] == [0.125, 0.125]
    assert absent["missing"] == "nowhere to be found" and "seconds" not in absent
    assert "absent, max: nowhere to be found." in text
    assert int(pathlib.Path("size").read_text()) >= 30000 * 8
    assert pathlib.Path("ended").read_text() == "30000 2\n"
    text, table = compare("sum", "--elements", "30000", "--repeat", "1", "--peers", "peers")
    assert "twin" not in text
    pathlib.Path("peers", "twin").write_text("#!/bin/sh\necho one/1\n")  # and then it says nothing
    text, table = compare("max", "--elements", "30000", "--repeat", "1", "--peers", "peers")
    assert "ended" in table["rows"][-1]["missing"]
    fails("no-folder", "compare", "max", "--elements", "9", "--peers", "no-folder")
    assert not left_behind()


def test_compare_plot():
    fails("FILE.svg or FILE.png", "compare", "max", "--plot", "x.pdf", status=2)
    fails("FILE.svg or FILE.png", "compare", "max", "--plot", "it's.svg", status=2)
    if shutil.which("gnuplot") is None:
        fails("gnuplot", "compare", "max", "--elements", "900", "--repeat", "1", "--plot", "x.svg")
        return
    compare("max", "--elements", "900", "--repeat", "2", "--plot", "x.svg")
    compare("max", "--elements", "900", "--repeat", "2", "--plot", "x.png")
    drawn = pathlib.Path("x.svg").read_text()
    assert "<svg" in drawn and "sequential, plain loop" in drawn and "95 % interval" in drawn
    assert pathlib.Path("x.png").read_bytes().startswith(b"\x89PNG")


def test_compare_intervals():
    """Medians and intervals of the ratios of every round, from the seconds of every round."""
    for rounds in (1, 5, 6, 15):
        text, table = compare("max", "--elements", "20000", "--repeat", str(rounds), "--workers", "2")
        below = lambda k: sum(math.comb(rounds, i) for i in range(k + 1)) / 2 ** rounds
        rank = max((k for k in range(rounds // 2) if below(k) <= 0.025), default=0)
        coverage = 1 - 2 * below(rank) if rounds > 1 else 0
        assert abs(table["interval_coverage"] - coverage) < 1e-6, (rounds, table)
        assert ("(95 % interval" in text) == (".." in text) == (coverage >= 0.95), text
        assert ("Too few rounds" in text) == (coverage < 0.95), text
        plain = table["rows"][0]["seconds"]
        for row in table["rows"]:
            limit = table["read_limit_seconds"][str(row["workers"])]
            for name, over in (("speedup", plain), ("limit_fraction", limit)):
                ratios = sorted(a / b for a, b in zip(over, row["seconds"], strict=True))
                expected = [statistics.median(ratios), ratios[rank], ratios[-1 - rank]]
                got = [row[name], *row[name + "_interval"]]
                assert all(abs(a / b - 1) < 1e-5 for a, b in zip(got, expected)), (got, expected)


def test_compare_json_file():
    quick = ("compare", "max", "--elements", "1000", "--repeat", "1", "--json")
    longest = "x" * 255
    output(*quick, longest)
    assert json.loads(pathlib.Path(longest).read_text())["rounds"] == 1
    assert os.listdir() == [longest] and os.stat(longest).st_mode & 0o7777 == 0o666 & ~umask()
    pathlib.Path("link").symlink_to(longest)
    pathlib.Path(longest).write_text("old")
    output(*quick, "link")
    assert pathlib.Path("link").is_symlink() and pathlib.Path(longest).stat().st_size > 3
    assert json.JSONDecoder().raw_decode(output(*quick, "/dev/stdout"))[0]["rounds"] == 1
    fails("FILE", *quick, "", status=2)
    fails("too long", *quick, "x" * 256)
    fails("cannot write", *quick, "missing/")
    fails("cannot write", *quick, ".")
    fails("cannot write", *quick, "/dev/full")
    assert sorted(os.listdir()) == ["link", longest]


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_compare_widths():
    for columns in (20, 40, 80, 200):
        text, table = compare("sum", "--elements", "100000", "--repeat", "1", columns=columns)
        assert max(map(len, text.splitlines())) <= columns, text
        assert text.isascii() and "\t" not in text
        assert all(line == line.rstrip() for line in text.splitlines()), text
        flat = " ".join(text.split())
        assert all(row["variant"] in flat for row in table["rows"]), flat
    assert output("compare", "sum", "--elements", "1000", "--repeat", "1")  # no terminal: 80


def test_compare_too_large():
    done = run("compare", "max", "--elements", "1000000000000", status=1)  # 8 TB
    offered = done.stderr.split("sheaf compare max --elements ")[1].split()[0]
    free = os.statvfs("/dev/shm")
    assert 0 < int(offered) * 8 <= free.f_bavail * free.f_frsize
    run("compare", "max", "--elements", str(2 ** 62), status=1)
    run("compare", "svd", "--shape", "1000000x1000x1000", status=1)
    fails("no-folder", "compare", "max", "--elements", "1000", "--json", "no-folder/x.json")
    assert not left_behind()


def with_shared_memory(size):
    """The start of a command that runs with a /dev/shm of its own."""
    script = f'mount -t tmpfs -o size={size} tmpfs /dev/shm && exec "$@"'
    return ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh"]


def test_small_shared_memory():
    """A /dev/shm of one megabyte, which only this case sees; what is offered does fit."""
    inside = with_shared_memory("1m")
    if subprocess.run([*inside, "true"], capture_output=True).returncode != 0:
        print("  not checked: no right to mount")
        return
    more = {"capture_output": True, "text": True, "timeout": 100}
    for kernel in ("max", "hash"):
        done = subprocess.run([*inside, SHEAF, "compare", kernel], **more)
        assert done.returncode == 1 and "this fits: " in done.stderr, done
        offered = done.stderr.split("this fits: sheaf ")[1].split()
        done = subprocess.run([*inside, SHEAF, *offered, "--repeat", "1"], **more)
        assert done.returncode == 0, done
    done = subprocess.run([*inside, SHEAF, "create", "large", "--shape", "1000000"], **more)
    assert done.returncode == 1 and "8" in done.stderr and "free" in done.stderr, done
    unlimited = with_shared_memory("0")
    done = subprocess.run([*unlimited, SHEAF, "compare", "max", "--elements", "1000", "--repeat", "1"],
                          **more)
    assert done.returncode == 0, done


def interrupted(number, *arguments, wait_for, to_group=False):
    """Starts a long compare, sends it a signal when it has its array, and waits for its end."""
    # A program that a signal ends has threads that nobody joins; TSan would tell, after our one line.
    tsan = os.environ.get("TSAN_OPTIONS", "") + " report_thread_leaks=0"
    process = subprocess.Popen([SHEAF, "compare", *arguments], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, start_new_session=True,
                               env={**os.environ, "TSAN_OPTIONS": tsan})
    key = f"sheaf-compare-{process.pid}"
    deadline = time.monotonic() + 60
    while not (SHM / key).exists() and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(wait_for)
    os.killpg(process.pid, number) if to_group else process.send_signal(number)
    sent = time.monotonic()
    error = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 128 + number, (process.returncode, error)
    assert time.monotonic() - sent < 30  # a hang, not a speed
    assert "\n" == error[-1] and error.count("\n") == 1, error
    deadline = time.monotonic() + 20
    while (children := ours_running(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not children, children
    assert not left_behind()


def ours_running(parent):
    """Processes that still have the parent's array mapped."""
    found = []
    for maps in pathlib.Path("/proc").glob("[0-9]*/maps"):
        try:
            if f"/dev/shm/sheaf-compare-{parent}" in maps.read_text():
                found.append(maps.parent.name)
        except OSError:
            pass
    return found


def test_compare_interrupted():
    long = ("max", "--elements", "8000000", "--repeat", "1000")
    for number, wait_for in ((signal.SIGINT, 0), (signal.SIGINT, 1), (signal.SIGTERM, 2)):
        interrupted(number, *long, wait_for=wait_for)
    interrupted(signal.SIGINT, *long, wait_for=1, to_group=True)  # as a terminal does it


def test_compare_on_a_terminal():
    """The progress line is written on a terminal only, and taken away at the end."""
    try:
        controller, terminal = pty.openpty()
    except OSError as error:
        print(f"  not checked: no terminal to be had here ({error})")
        return
    subprocess.run([SHEAF, "compare", "max", "--elements", "1000", "--repeat", "1"], check=True,
                   stdout=subprocess.DEVNULL, stderr=terminal, timeout=100)
    os.close(terminal)
    shown = b""
    try:
        while piece := os.read(controller, 65536):
            shown += piece
    except OSError:
        pass  # the terminal's other end is closed
    os.close(controller)
    assert b"\rcompare max: round 1" in shown and shown.endswith(b"\r\x1b[K"), shown[-200:]


def test_compare_output_that_cannot_be_written():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([SHEAF, "compare", "max", "--elements", "1000", "--repeat", "1"],
                              stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and not left_behind(), done


if __name__ == "__main__":
    main(globals())
