#!/usr/bin/env python3
"""test_cli.py -- the sheaf command from outside: what it prints, its exit status, what it leaves behind.

usage: test_cli.py SHEAF [PART OF A CASE'S NAME]

Oracles: Python's own arithmetic (math.fsum for exact sums), struct and json, hand-written .npy files,
and b3sum where it is installed.
"""
import json
import math
import os
import pathlib
import shutil
import struct
import subprocess
import time

from cli_check import (EXECUTORS, KEY, PREFIX, SHEAF, SHM, as_json, create, elements, fails, left_behind,
                       main, npy, output, run, usage)


# ---- Every command by itself --------------------------------------------------------------------


def test_help_and_version():
    text = output("--help")
    names = [line.split()[0] for line in text.splitlines() if line.startswith("  ")
             and not line.startswith("  sheaf")]
    assert set(names) >= {"create", "load", "save", "list", "info", "remove", "gc", "reduce",
                          "hash", "svd", "compare"}, names
    assert "copy-worker" not in text
    for name in names:
        text = output(name, "--help")
        assert text.startswith(f"usage: sheaf {name}") and "Example: sheaf" in text, text
        assert output(name, "-h") == text
        assert max(map(len, text.splitlines())) <= 86, name
    assert output("--version").startswith("sheaf ")


def test_usage():
    usage("no command")
    usage("unknown command", "frobnicate")
    usage("unknown option", "--frobnicate")
    usage("--shape is missing", "create", KEY)
    usage("one KEY", "create", "--shape", "3")
    usage("unknown or ambiguous option --frob", "create", KEY, "--frob")
    usage("needs a value", "create", KEY, "--shape")
    usage("takes no value", "list", "--json=3")
    usage("unknown option -q", "list", "-q")
    for shape in ("", "x", "3x", "3xx4", "-3", "3.5", "3 4", "1e9", "0x10y", "scalar3"):
        usage("--shape", "create", KEY, "--shape", shape)
    usage("64 bits", "create", KEY, "--shape", "99999999999999999999")
    usage("dimensions", "create", KEY, "--shape", "x".join(["1"] * 33))
    usage("unknown dtype", "create", KEY, "--shape", "3", "--dtype", "f8")
    usage("unknown fill", "create", KEY, "--shape", "3", "--fill", "ones")
    usage("--seed", "create", KEY, "--shape", "3", "--seed", "-1")
    usage("normal", "create", KEY, "--shape", "3", "--dtype", "i32", "--fill", "normal")
    usage("i64", "create", KEY, "--shape", "3000000000", "--dtype", "i32", "--fill", "arange")
    usage("takes no operand", "list", "x")
    usage("unknown command", "help", "copy-worker")
    usage("one KEY", "info")
    usage("at least one KEY", "remove")
    usage("OP and KEY", "reduce", "max")
    usage("unknown operation", "reduce", "meen", KEY)
    usage("--ddof", "reduce", "var", KEY, "--ddof", "1x")
    usage("unknown executor", "reduce", "max", KEY, "--executor", "gpu")
    usage("--workers 0", "reduce", "max", KEY, "--workers", "0")
    usage("--workers", "reduce", "max", KEY, "--workers", "-1")
    usage("at most", "reduce", "max", KEY, "--workers", "225")
    usage("need --array", "hash", "--workers", "2", "x")
    usage("not both", "hash", "--array", KEY, "x")
    usage("one KEY", "svd")
    usage("unknown kernel", "compare", "meen")
    usage("--elements", "compare", "max", "--elements", "0")
    usage("--repeat", "compare", "max", "--repeat", "0")
    usage("--workers 0", "compare", "max", "--workers", "0")
    usage("--shape is for svd and scrypt", "compare", "max", "--shape", "3x3")
    usage("not --elements", "compare", "svd", "--elements", "3")
    usage("matrices", "compare", "svd", "--shape", "100")
    assert not (SHM / KEY).exists() and not left_behind()


def test_errors_name_key_and_reason():
    create()
    for command in (["info"], ["remove"], ["reduce", "max"], ["svd"], ["hash", "--array"]):
        fails(PREFIX + "none", *command, PREFIX + "none")
        for key in ("a/b", "", ".", "..", "a" * 201):
            run(*command, key, status=1)
    fails(KEY, "create", KEY, "--shape", "3")
    fails("", "create", PREFIX + "a/b", "--shape", "3")
    fails("", "create", KEY + "x", "--shape", "4294967296x4294967296x4")
    fails("", "create", KEY + "x", "--shape", "1000000000000000")  # 8 PB
    fails("nosuch", "reduce", "max", KEY, "--isa", "nosuch")
    fails("nosuch\" (from SHEAF_ISA)", "reduce", "max", KEY, environment={"SHEAF_ISA": "nosuch"})
    assert not (SHM / (KEY + "x")).exists()
    control = run("info", "a\nb", status=1).stderr  # one line, whatever the key
    assert control.count("\n") == 1


def test_create_fills():
    create(dtype="f64", fill="uniform", seed="7")
    values = elements(KEY, "d")
    assert len(set(values)) == 1000 and all(0 <= x < 1 for x in values)
    assert abs(math.fsum(values) / 1000 - 0.5) < 0.05
    # splitmix64 from seed 7, as published
    state, mask = 7, (1 << 64) - 1
    for value in values[:5]:
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        assert value == ((z ^ (z >> 31)) >> 11) * 2.0 ** -53
    create(KEY + "b", fill="uniform", seed="8")
    assert elements(KEY + "b", "d") != values
    create(KEY + "n", shape="10000", fill="normal")
    values = elements(KEY + "n", "d")
    assert abs(math.fsum(values) / 10000) < 0.05
    assert abs(math.fsum(x * x for x in values) / 10000 - 1) < 0.06
    for dtype, code in (("i32", "i"), ("i64", "q"), ("f32", "f"), ("f64", "d")):
        create(KEY + dtype, shape="5x7", dtype=dtype, fill="arange")
        assert elements(KEY + dtype, code) == list(range(35))
        create(KEY + dtype + "u", dtype=dtype, fill="uniform")
        values = elements(KEY + dtype + "u", code)
        low, high = (-10 ** 6, 10 ** 6) if dtype[0] == "i" else (0, 1)
        assert all(low <= x < high for x in values) and max(values) > low + 0.9 * (high - low)
    create(KEY + "d", fill="descending")
    assert elements(KEY + "d", "d") == list(range(999, -1, -1))
    for dtype, code, most in (("f32", "f", 120), ("f64", "d", 990)):
        create(KEY + dtype + "w", shape="20000", dtype=dtype, fill="wide")
        values = elements(KEY + dtype + "w", code)
        exponents = [math.frexp(x)[1] - 1 for x in values]
        assert min(exponents) == -most and max(exponents) == most
        assert 0.45 < sum(x < 0 for x in values) / 20000 < 0.55 and math.isfinite(math.fsum(values))
    create(KEY + "z", shape="3x0")
    assert as_json("info", KEY + "z", "--json")["bytes"] == 0
    create(KEY + "s", shape="scalar", fill="arange")
    assert as_json("info", KEY + "s", "--json")["shape"] == []


def test_info_list_remove():
    made = as_json("create", KEY, "--shape", "6x1000,10", "--dtype", "i32", "--json")
    assert made["shape"] == [6, 1000, 10] and made["dtype"] == "i32" and made["key"] == KEY
    assert made["bytes"] == 240000 and made["lifetime"] == "persistent"
    assert made == as_json("info", "shm://" + KEY, "--json")
    assert made in as_json("list", "--json")
    assert abs(made["created_unix_ns"] / 1e9 - time.time()) < 100
    assert "6x1000x10" in output("info", KEY)
    line = [x for x in output("list").splitlines() if x.startswith(KEY + " ")]
    assert len(line) == 1 and line[0].split()[1:3] == ["i32", "6x1000x10"], line
    create(KEY + "b")
    assert as_json("remove", KEY, KEY + "b", "--json") == {"removed": [KEY, KEY + "b"]}
    create()
    done = run("remove", KEY + "none", KEY, status=1)  # the others are removed all the same
    assert KEY + "none" in done.stderr and not (SHM / KEY).exists()
    (SHM / KEY).write_bytes(b"no array")
    run("remove", KEY, status=1)
    run("info", KEY, status=1)
    assert (SHM / KEY).exists()
    (SHM / KEY).unlink()


def test_gc():
    create()
    assert KEY not in [x["key"] for x in as_json("gc", "--json")["removed"]]
    output("gc")
    assert (SHM / KEY).exists()


def test_load_save():
    npy("in.npy")
    assert as_json("load", "in.npy", KEY, "--json")["shape"] == [3]
    assert elements(KEY, "d") == [1, -2, 3]
    assert json.loads(output("save", KEY, "out.npy", "--json")) == {
        "key": KEY, "file": "out.npy", "bytes": 24}
    written = pathlib.Path("out.npy").read_bytes()
    assert written[:6] == b"\x93NUMPY" and written[-24:] == struct.pack("<3d", 1, -2, 3)
    output("load", "out.npy", KEY + "2")
    assert output("reduce", "min", KEY + "2") == "-2\n"
    assert output("reduce", "max", "file://" + os.path.abspath("in.npy")) == "3\n"
    fails(KEY, "load", "in.npy", KEY)
    fails(f'sheaf create: "{KEY}": the key is taken', "create", KEY, "--shape", "1")
    fails("none.npy", "load", "none.npy", KEY + "3")
    fails("sheaf save: no-folder/out.npy: no such", "save", KEY, "no-folder/out.npy")
    fails("", "save", KEY + "3", "out2.npy")
    bad = {
        "fortran": npy("fortran.npy", shape="(2, 2)", fortran="True", data=bytes(32)),
        "endian": npy("big.npy", descr=">f8"),
        "objects": npy("objects.npy", descr="|O"),
        "lying": npy("lying.npy", shape="(300,)"),
        "overflow": npy("overflow.npy", shape="(4294967296, 4294967296, 4)"),
    }
    pathlib.Path("text.npy").write_text("no array at all\n")
    for path in (*bad.values(), "text.npy"):
        fails(path, "load", path, KEY + "3")
    assert not (SHM / (KEY + "3")).exists() and not pathlib.Path("out2.npy").exists()


# ---- Work ---------------------------------------------------------------------------------------


def test_reduce():
    create(shape="100000", fill="uniform")
    values = elements(KEY, "d")
    oracle = {"max": max(values), "min": min(values), "sum": math.fsum(values)}
    for op, expected in oracle.items():
        results = []
        for executor in EXECUTORS:
            row = as_json("reduce", op, KEY, "--executor", executor, "--workers",
                          1 if executor == "sequential" else 2, "--json")
            assert set(row) == {"op", "key", "dtype", "executor", "workers", "isa", "value", "bits",
                                "seconds"}, row
            assert row["op"] == op and row["key"] == KEY and row["executor"] == executor
            assert row["workers"] == (1 if executor == "sequential" else 2) and row["seconds"] > 0
            assert bytes.fromhex(row["bits"]) == struct.pack("<d", row["value"])
            results.append(row["bits"])
        results.append(as_json("reduce", op, KEY, "--isa", "scalar", "--json")["bits"])
        value = float(output("reduce", op, KEY))
        results.append(struct.pack("<d", value).hex())
        assert len(set(results)) == 1, results
        assert value == expected if op != "sum" else abs(value - expected) < 1e-9 * expected
    usage("sequential executor has one", "reduce", "max", KEY, "--executor", "sequential",
          "--workers", "2")
    assert as_json("reduce", "max", KEY, "--json", "--workers", "1")["executor"] == "threads"


def test_reduce_others():
    names = output("reduce", "--list").split()
    assert {"max", "argmax", "minmax", "mean", "var", "nansum", "dot", "norm2"} <= set(names)
    assert len(names) == len(set(names))
    run("create", KEY, "--shape", "5", "--fill", "arange")
    assert output("reduce", "argmax", KEY) == "4\n"
    assert as_json("reduce", "argmin", KEY, "--json")["index"] == 0
    assert output("reduce", "minmax", KEY) == "0 4\n"
    assert as_json("reduce", "minmax", KEY, "--json")["values"] == [0, 4]
    assert output("reduce", "mean", KEY) == "2\n"
    assert output("reduce", "var", KEY) == "2\n"
    assert output("reduce", "var", KEY, "--ddof", "1") == "2.5\n"
    assert output("reduce", "dot", KEY, "--second", KEY) == "30\n"
    fails("second", "reduce", "dot", KEY)
    run("remove", KEY)


def test_reduce_values():
    cases = [
        ("<f8", "d", [1, math.nan, 2], "max", "NaN", "000000000000f87f"),
        ("<f8", "d", [-math.inf, 1], "min", "-Infinity", "000000000000f0ff"),
        ("<f8", "d", [math.inf, 1], "sum", "Infinity", "000000000000f07f"),
        ("<f8", "d", [-0.0, 0.0], "max", 0.0, "0000000000000000"),
        ("<f8", "d", [0.1], "sum", 0.1, struct.pack("<d", 0.1).hex()),
        ("<f4", "f", [0.1, 0.0], "max", None, struct.pack("<f", 0.1).hex()),
        ("<i4", "i", [2147483647, 2147483647], "sum", 4294967294, "feffffff00000000"),
        ("<i4", "i", [-5, 3], "min", -5, "fbffffff"),
        ("<i8", "q", [2 ** 63 - 1, 1], "sum", -2 ** 63, "0000000000000080"),
    ]
    for i, (descr, code, values, op, value, bits) in enumerate(cases):
        npy("x.npy", descr, f"({len(values)},)", data=struct.pack(f"<{len(values)}{code}", *values))
        output("load", "x.npy", f"{KEY}{i}")
        row = as_json("reduce", op, f"{KEY}{i}", "--json")
        assert row["bits"] == bits, (row, bits)
        if value is None:
            assert struct.pack("<f", row["value"]).hex() == bits
            assert struct.pack("<f", float(output("reduce", op, f"{KEY}{i}"))).hex() == bits
        else:
            assert row["value"] == value, (row, value)
    create(KEY + "none", shape="0")
    run("reduce", "max", KEY + "none", status=1)
    assert output("reduce", "sum", KEY + "none") == "0\n"


CODES = {"bool": "?", "i8": "b", "i16": "h", "i32": "i", "i64": "q", "u8": "B", "u16": "H", "u32": "I",
         "u64": "Q", "f16": "e", "f32": "f", "f64": "d"}


def test_every_dtype():
    for dtype, code in CODES.items():
        key = KEY + dtype
        create(key, shape="200", dtype=dtype, fill="uniform")
        values = elements(key, code)
        assert len(set(values)) > (1 if dtype == "bool" else 50)
        output("save", key, "x.npy")
        output("load", "x.npy", key + "2")
        assert elements(key + "2", code) == values
        assert as_json("info", key + "2", "--json")["dtype"] == dtype
        most = as_json("reduce", "max", key, "--json")
        assert bytes.fromhex(most["bits"]) == struct.pack("<" + code, max(values))
        assert struct.pack("<" + code, most["value"]) == struct.pack("<" + code, max(values))
        total = as_json("reduce", "sum", key, "--json")["value"]
        if dtype[0] == "f":
            assert abs(total - math.fsum(values)) <= 0.001 * total
        else:
            assert total == sum(values)
        assert as_json("reduce", "count_nonzero", key, "--json")["value"] == sum(map(bool, values))
    create(KEY + "bf16", shape="6", dtype="bf16", fill="arange")
    assert elements(KEY + "bf16", "H") == [struct.unpack("<H", struct.pack("<f", i)[2:])[0]
                                           for i in range(6)]
    output("save", KEY + "bf16", "x.npy")
    output("load", "x.npy", KEY + "bf162")
    assert output("reduce", "mean", KEY + "bf162") == "2.5\n"
    usage("does not fit", "create", KEY + "x", "--shape", "257", "--dtype", "u8", "--fill", "arange")


def test_reduce_axes():
    create(shape="3x4x5", dtype="i16", fill="arange")
    x = [[[20 * i + 5 * j + k for k in range(5)] for j in range(4)] for i in range(3)]
    row = as_json("reduce", "sum", KEY, "--axis", "0", "--json")
    assert row["values"] == [[sum(x[i][j][k] for i in range(3)) for k in range(5)] for j in range(4)]
    assert row["shape"] == [4, 5] and "value" not in row
    row = as_json("reduce", "sum", KEY, "--axis", "-1,0", "--keepdims", "--json")
    assert row["values"] == [[[sum(x[i][j][k] for i in range(3) for k in range(5))] for j in range(4)]]
    assert as_json("reduce", "argmax", KEY, "--axis", "1", "--json")["index"] == [[3] * 5] * 3
    row = as_json("reduce", "minmax", KEY, "--axis", "1,2", "--json")
    assert row["values"] == [[0, 20, 40], [19, 39, 59]]
    assert output("reduce", "max", KEY, "--axis", "2") == "4 9 14 19\n24 29 34 39\n44 49 54 59\n"
    assert "f32 3x4" in output("reduce", "mean", KEY, "--axis", "2", "--out", KEY + "o", "--dtype", "f32")
    assert elements(KEY + "o", "f") == [5 * i + 2 for i in range(12)]
    assert output("reduce", "sum", KEY, "--initial", "-9223372036854775807") == f"{1770 - 2 ** 63 + 1}\n"
    usage("a number of dtype i64", "reduce", "sum", KEY, "--initial", "0.5")
    usage("--axis", "reduce", "sum", KEY, "--axis", "1x")
    usage("unknown dtype", "reduce", "sum", KEY, "--dtype", "f8")
    fails("no axis 3", "reduce", "sum", KEY, "--axis", "3")
    fails("max takes no dtype", "reduce", "max", KEY, "--dtype", "f64")
    fails(KEY + "o", "reduce", "sum", KEY, "--out", KEY + "o")


def test_hash():
    # BLAKE3 of nothing, and of "abc" (the official test vectors' algorithm)
    nothing = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"
    pathlib.Path("empty").write_bytes(b"")
    pathlib.Path("a\\b\nc").write_bytes(b"abc")
    pathlib.Path("large").write_bytes(bytes(i * 7 % 251 for i in range(300001)))
    assert output("hash", "empty") == f"{nothing}  empty\n"
    assert output("hash", stdin=subprocess.DEVNULL) == f"{nothing}  -\n"
    names = ["empty", "a\\b\nc", "large"]
    if shutil.which("b3sum"):
        expected = subprocess.run(["b3sum", *names], capture_output=True, text=True, check=True).stdout
        assert output("hash", *names) == expected
        with open("large", "rb") as file:
            assert output("hash", "-", stdin=file).split()[0] == expected.split()[-2]
    rows = as_json("hash", "empty", "large", "--json")
    assert [row["file"] for row in rows] == ["empty", "large"] and rows[0]["hash"] == nothing
    done = run("hash", "none", "empty", status=1)
    assert done.stdout == f"{nothing}  empty\n" and "none" in done.stderr
    run("hash", ".", status=1)
    create(shape="50000", fill="uniform")
    pathlib.Path("bytes").write_bytes(struct.pack("<50000d", *elements(KEY, "d")))
    expected = output("hash", "bytes").split()[0]
    for executor in EXECUTORS:
        assert output("hash", "--array", KEY, "--executor", executor) == f"{expected}  {KEY}\n"
    row = as_json("hash", "--array", KEY, "--json", "--workers", "2")
    assert row["hash"] == expected and row["bytes"] == 400000 and row["workers"] == 2


def test_svd():
    matrices = [[3, 0, 0, 4, 0, 0], [0, 2, 5, 0, 0, 0]]  # two 3x2: values 4 3 and 5 2
    data = struct.pack("<12d", *matrices[0], *matrices[1])
    output("load", npy("m.npy", shape="(2, 3, 2)", data=data), KEY)
    row = as_json("svd", KEY, "--json", "--s", KEY + "s")
    close = lambda got, want: all(abs(a - b) < 1e-12 for a, b in zip(got, want, strict=True))
    assert row["shape"] == [2, 3, 2] and row["status"] == [0, 0] and row["reproducible"] is True
    assert close(row["s"][0], [4, 3]) and close(row["s"][1], [5, 2]), row
    assert as_json("info", KEY + "s", "--json")["shape"] == [2, 2]
    assert elements(KEY + "s", "d") == row["s"][0] + row["s"][1]
    for executor in EXECUTORS:
        lines = output("svd", KEY, "--executor", executor).splitlines()
        assert [[float(x) for x in line.split()] for line in lines] == row["s"]
    fails(KEY + "s", "svd", KEY, "--s", KEY + "s")  # taken
    fails("cannot be a key", "svd", KEY, "--s", "a/b")
    fails("to a NAME", "svd", KEY, "--s", "file://s.npy")
    full = as_json("svd", KEY, "--json", "--full", "--u", KEY + "u", "--vt", KEY + "vt")
    assert full["mode"] == "full" and full["s"] == row["s"]
    assert as_json("info", KEY + "u", "--json")["shape"] == [2, 3, 3]
    assert as_json("info", KEY + "vt", "--json")["shape"] == [2, 2, 2]
    u, vt = elements(KEY + "u", "d"), elements(KEY + "vt", "d")
    for c, matrix in enumerate(matrices):
        product = [sum(u[9 * c + 3 * i + k] * row["s"][c][k] * vt[4 * c + 2 * k + j] for k in range(2))
                   for i in range(3) for j in range(2)]
        assert close(product, matrix), product
    fails("the key is taken", "svd", KEY, "--u", KEY + "u")
    output("svd", KEY, "--vt", KEY + "vt2")  # reduced
    assert as_json("info", KEY + "vt2", "--json")["shape"] == [2, 2, 2]
    usage("give one of them", "svd", KEY, "--full", "--values")
    usage("no vectors", "svd", KEY, "--values", "--u", KEY + "w")
    usage("the same key", "svd", KEY, "--vt", KEY + "w", "--u", KEY + "w")
    data = struct.pack("<4d", 1, math.nan, 0, 1)
    output("load", npy("n.npy", shape="(2, 2)", data=data), KEY + "n")
    done = run("svd", KEY + "n", "--json", status=1)
    row = json.loads(done.stdout)
    assert row["status"] == [1] and row["s"] == [["NaN", "NaN"]] and row["failures"] == 1
    create(KEY + "v", shape="5")
    fails("(..., m, n)", "svd", KEY + "v")
    create(KEY + "i", shape="5x5", dtype="i32")
    run("svd", KEY + "i", status=1)


def test_output_that_cannot_be_written():
    create()
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([SHEAF, "info", KEY], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "cannot write" in done.stderr


if __name__ == "__main__":
    main(globals())
