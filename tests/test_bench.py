#!/usr/bin/env python3
"""test_bench.py -- the benchmark house without its measurements: statistics, verdicts, players, pages, and that
every figure of the README is in a file of results.

usage: test_bench.py ROOT

Nothing here judges a speed. Oracles: exact binomial numbers, published tables, and results made by hand.
"""
import contextlib
import io
import json
import math
import os
import pathlib
import re
import shutil
import sys
import tempfile
from html.parser import HTMLParser
from xml.etree import ElementTree

ROOT = pathlib.Path(sys.argv[1]).resolve()
sys.path.insert(0, str(ROOT / "bench"))
from house import asked, check, groups, main as house_main, measure, plots, players, report, results, stats, views

MACHINE = {"cpu": "Test <CPU>", "cpus": 2, "cpus_usable": 2, "isas": ["scalar", "wide"], "caches": {"L1d": "32K"},
           "memory_bytes": 2 ** 34, "kernel": "1", "compiler": "none", "sheaf": "0"}


def row(name, *seconds, **more):
    return {"name": name, "seconds": list(seconds), "cpu_seconds": list(seconds), "bytes": 8000, "workers": 2, **more}


def result(group, *rows, **more):
    return {"group": group, "title": "The test of everything", "quick": False, "machine": MACHINE, "rounds": 6,
            "begun": "2026-01-01T00:00:00Z", "took_seconds": 1.5, "notes": [], "command": "none",
            "rows": list(rows), **more}


def raises(kind, function, *arguments):
    try:
        function(*arguments)
    except kind as error:
        return str(error)
    raise AssertionError(f"{function.__name__} does not raise {kind.__name__}")


def test_intervals():
    for n in range(1, 60):
        rank = stats.interval_rank(n)
        below = lambda k: sum(math.comb(n, i) for i in range(k + 1)) / 2 ** n
        assert rank == max((k for k in range((n + 1) // 2) if below(k) <= 0.025), default=0), n
        assert stats.is_interval(n) == (n > 1 and 1 - 2 * below(rank) >= 0.95), n
    assert stats.estimate([3, 1, 2, 9, 5, 4]) == (3.5, 1, 9)
    assert stats.estimate(range(15)) == (7, 3, 11)


def test_outliers():
    assert stats.outliers([1.0, 1.01, 0.99, 1.02, 0.98, 5.0]) == [5]
    assert stats.outliers([1.0, 1.01, 0.99, 1.02, 0.98, 1.03]) == []
    assert stats.outliers([1.0, 1.0, 1.0, 1.0, 1.01]) == []  # one part in a hundred is no event
    assert stats.outliers([1.0, 1.0, 1.0, 1.0, 0.2]) == []   # nor is being quick


def test_mann_whitney():
    """Two examples by hand: n = m = 5, no ties: U = 2 has an exact p of 0.032, U = 12 of 1.0."""
    assert abs(stats.mann_whitney([1, 2, 3, 4, 7], [5, 6, 8, 9, 10]) - 0.036) < 0.002
    assert stats.mann_whitney([1, 4, 5, 8, 9], [2, 3, 6, 7, 10]) > 0.9
    assert stats.mann_whitney([1] * 6, [1] * 6) == 1
    assert stats.mann_whitney(range(20), range(100, 120)) < 1e-6


def test_tables():
    table = {group.name: group for group in groups.load()}
    assert len(table) > 10
    for line in asked.load():
        assert line.group in table, f"asked.txt: no group {line.group}"
        for name in re.split(r" / | & ", line.expression) if table[line.group].programs else ():
            assert re.search(table[line.group].rows, name), f"asked.txt: [{line.group}] leaves out {name}"
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "x").write_text("a | b | about 5 | c | d\n")
    assert "x:1" in raises(SystemExit, asked.load, folder / "x")
    (folder / "y").write_text("[a]\ntitle = b\n")
    assert "[a]" in raises(SystemExit, groups.load, folder / "y")
    shutil.rmtree(folder)


def figure(sign, value, unit, expression):
    return asked.Asked("test", "a figure", sign, value, unit, "g", expression)


def test_asked():
    six = (2.0, 2.2, 1.8, 2.1, 1.9, 2.0)
    found = result("g", row("a, wide", *six), row("b/2", *[2 * x for x in six]), row("c", *[3 * x for x in six]),
                   {"name": "gone", "missing": "not installed"}, row("n", *six, counters={"mb": [5e6] * 6}))
    value = asked.evaluate(figure(">=", 2, "", "b/{W} / a, {simd}"), found)
    assert (value.median, value.low, value.high) == (2, 2, 2)
    assert asked.evaluate(figure(">=", 2, "", "c & b/2 / a, wide"), found).median == 2
    assert asked.evaluate(figure("<=", 1, "ms", "a, wide"), found).high == 2200
    rate = asked.evaluate(figure(">=", 1, "GB/s", "a, wide"), found)
    assert abs(rate.low - 8000 / 2.2e9) < 1e-15 and rate.low < rate.median < rate.high
    assert asked.evaluate(figure("<=", 9, "MB", "n:mb"), found).median == 5
    assert "not installed" in raises(asked.Absent, asked.evaluate, figure("<=", 1, "", "gone / c"), found)
    assert "no row" in raises(asked.Absent, asked.evaluate, figure("<=", 1, "", "other"), found)
    words = [asked.verdict(figure(">=", limit, "", ""), asked.Found(2, 1.5, 3, 6)) for limit in (1.5, 1.9, 2.1, 3.1)]
    assert words == ["reached", "open, reached in the median", "open, short in the median", "missed"]
    words = [asked.verdict(figure("<=", limit, "", ""), asked.Found(2, 1.5, 3, 6)) for limit in (3, 2.1, 1.9, 1.4)]
    assert words == ["reached", "open, reached in the median", "open, short in the median", "missed"]


def test_check():
    assert not check.is_worse(">=", 2.0, asked.Found(1.5, 1.4, 1.7, 6), 0.25)  # the interval reaches 1.6
    assert check.is_worse(">=", 2.0, asked.Found(1.5, 1.4, 1.59, 6), 0.25)
    assert not check.is_worse("<=", 2.0, asked.Found(2.6, 2.5, 2.7, 6), 0.25)
    assert check.is_worse("<=", 2.0, asked.Found(2.6, 2.51, 2.7, 6), 0.25)
    assert not check.is_worse(">=", 2.0, asked.Found(9, 9, 9, 6), 0.25)  # better is not worse
    six = [1.0] * 6
    slow = {"max": result("max", row("threads, wide", *six), row("processes, wide, warm pool", *[2.0] * 6))}
    fast = {"max": result("max", row("threads, wide", *six), row("processes, wide, warm pool", *six))}
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as said:
        kept = pathlib.Path(folder, "ratios.json")
        check.keep(kept, fast)
        assert check.check(kept, fast) == 0 and check.check(kept, slow) == 1
        few = {"max": result("max", row("threads, wide", 1.0), row("processes, wide, warm pool", 2.0))}
        assert check.check(kept, few) == 0  # one round shows nothing
        other = {"max": {**slow["max"], "machine": {**MACHINE, "isas": ["scalar"]}}}
        assert check.check(kept, other) == 0
        check.compare(fast, slow)
    assert "max, warm processes over threads: 2" in said.getvalue() and "slower" in said.getvalue()


def test_check_short():
    def measured(ratio):
        return lambda: {"max": result("max", row("threads, wide", *[1.0] * 6),
                                      row("processes, wide, warm pool", *[ratio * x for x in (1, 9, 9, 9, 9, 9)]))}
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        kept = pathlib.Path(folder, "ratios.json")
        check.keep(kept, {"max": result("max", row("threads, wide", *[1.0] * 6),
                                        row("processes, wide, warm pool", *[1.0] * 6))})
        assert check.short(kept, measured(3.9)) == 0  # by its best round, noise or not
        assert check.short(kept, measured(4.1)) == 1
        tries = [9, 9, 1]
        assert check.short(kept, lambda: measured(tries.pop(0))()) == 0 and not tries


def test_crossings():
    sizes = (10, 100, 1000)
    rows = [row(f"sequential, wide @ {n}", *[float(n)] * 6) for n in sizes]
    rows += [row(f"threads, wide @ {n}", *[50 + n / 2] * 6) for n in sizes]
    rows += [row(f"processes, data copied @ {n}", *[5.0 * n] * 6) for n in sizes]
    rows += [row(f"processes, wide, warm pool @ {n}", *[n / 2] * 6) for n in sizes]
    said = views.crossings(result("sizes", *rows))
    assert "threads, wide: somewhere between 100 and 1 000 elements" in said, said
    assert "processes, data copied: never up to 1 000 elements" in said
    assert "processes, wide, warm pool: from 10 elements or fewer" in said
    workers = [row(f"threads, scalar @ {w}", *[0.25 + 0.75 / w] * 6) for w in (1, 2)]
    series, notes = views.worker_series(result("workers", *workers))
    assert notes == ["threads, scalar: as if 25% of the work were serial (Amdahl)"], notes


FAKE = """#!/usr/bin/env python3
import sys
if "--benchmark_list_tests" in sys.argv:
    print("one/2/real_time", "two/iterations:1/manual_time", "three", sep="\\n")
    sys.exit()
for line in sys.stdin:
    name = line.strip()
    if name == "three":
        sys.exit()
    print("done\\t0.5\\t0.25\\tbytes_per_second=16 q50=1e-6" if name.startswith("one/2/real") else "fail\\tno luck", flush=True)
"""


def test_players():
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "bench", "bench_fake")
        path.parent.mkdir()
        path.write_text(FAKE)
        path.chmod(0o755)
        player = players.Player([str(path)])
        assert list(player.rows) == ["one/2", "two", "three"]
        player.start(0.01)
        assert player.run("one/2") == {"seconds": 0.5, "cpu_seconds": 0.25, "bytes_per_second": 16, "q50": 1e-6}
        assert player.run("two") == {"missing": "no luck"}
        assert "has ended" in player.run("three")["missing"] and "has ended" in player.run("two")["missing"]
        player.stop()
        group = groups.load()[0]
        group.compare, group.programs, group.rows, group.rounds = [], ["bench_fake", "bench_none"], "^(one|two)", 7
        house = measure.House(folder, sys.executable)
        found = measure.measure(house, group, MACHINE, lambda text: None)
    one, two = found["rows"]
    assert one["seconds"] == [0.5] * found["rounds"] and found["rounds"] == 6 and one["bytes"] == 8
    assert one["counters"] == {"q50": [1e-6] * 6} and two["missing"] == "no luck"
    assert "bench_none is not there" in found["notes"][0]


class Page(HTMLParser):
    """Counts what a page would fetch, and checks that its elements close."""
    def __init__(self):
        super().__init__()
        self.fetched, self.text = [], ""

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag in ("script", "link", "img", "iframe"):
            self.fetched.append(tag)
        self.fetched += [values[name] for name in ("src", "href", "xlink:href")
                         if values.get(name, "#")[:1] != "#"]

    def handle_data(self, data):
        self.text += data


def test_report():
    six = [1.0, 1.1, 0.9, 1.0, 1.05, 0.95]
    found = {"max": result("max", row("sequential, plain loop", *[4 * x for x in six]), row("sequential, wide", *six),
                           row("threads, wide", *[x / 2 for x in six]), row("processes, data copied", *[9 * x for x in six]),
                           row("processes, wide, warm pool", *[x / 2 for x in six]),
                           row("read limit, 2", *[x / 2 for x in six], limit=True), row("numpy, max/1", *six, peer=True),
                           {"name": "Dask <array>/2", "missing": "not installed (package python3-dask)", "peer": True}),
             "latency": result("latency", row("threads", *six, counters={"q01": [1e-6] * 6, "q50": [2e-6] * 6,
                                                                         "q99": [5e-6] * 6})),
             "sizes": result("sizes", *[row(f"{name} @ {n}", *[x * n for x in six]) for n in (10, 100)
                                        for name in ("sequential, wide", "threads, wide")])}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        page = report.write_report(found, folder)
        text = page.read_text()
        parsed = Page()
        parsed.feed(text)
        assert not parsed.fetched, parsed.fetched
        assert "shared-memory processes reach 100 %" in parsed.text and "costs 18.0 times" in parsed.text
        assert "not installed (package python3-dask)" in parsed.text and "Test <CPU>" in parsed.text
        if plots.has_gnuplot():
            assert text.count("<svg") == 4, text.count("<svg")
            for picture in folder.glob("*.svg"):
                ElementTree.parse(picture)
            assert len(list(folder.glob("*.png"))) == 4
        summary = results.summary(found)
        assert summary["groups"]["max"]["rows"][2]["speedup"] == 8
        assert any(line["verdict"] == "reached" for line in summary["asked"])
        google = results.google_benchmark(found)
        assert google["benchmarks"][0]["name"] == "max/sequential, plain loop"
        assert google["benchmarks"][0]["real_time"] == 4e9 and json.dumps(google)
        for group, one in found.items():
            results.save(folder / f"{group}.json", one)
        results.save(folder / "summary.json", summary)
        assert results.load(folder) == found
        order = [group.name for group in groups.load()]
        assert list(results.load(folder)) == sorted(found, key=order.index)


def test_options():
    for wrong in (["--nothing"], ["("], ["a", "b"]):
        with contextlib.redirect_stderr(io.StringIO()):
            raises(SystemExit, house_main.parse, wrong)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        assert "no results" in raises(SystemExit, house_main.main, ["--report", "--into", folder])


# ---- the README ------------------------------------------------------------------------------------
def numbers_of(text):
    return re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]*\w)", text)


def measured_tables(text):
    """The tables of the README that say where their numbers are: `<!-- results: FILE -->` and what follows, up to
    `<!-- end -->`."""
    return re.findall(r"<!-- results: (\S+) -->\n(.*?)<!-- end -->", text, re.DOTALL)


def known_numbers(value, found):
    """Every number of a results file, and its medians, as they would be printed with any number of decimals."""
    if isinstance(value, dict):
        for item in value.values():
            known_numbers(item, found)
    elif isinstance(value, list):
        for item in value:
            known_numbers(item, found)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        found.append(float(value))
    elif isinstance(value, str):
        found += [float(number) for number in numbers_of(value)]


def is_known(number, found):
    decimals = len(number.partition(".")[2])
    half = 0.5000001 * 10 ** -decimals
    return any(abs(x * scale - float(number)) <= half for x in found for scale in (1, 100, 1e3, 1e6, 1e-9))


def test_readme_figures():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tables = measured_tables(readme)
    assert tables, "README.md names no results"
    for name, text in tables:
        path = ROOT / "bench" / "results" / name
        found = []
        known_numbers(json.loads(path.read_text(encoding="utf-8")), found)
        text = re.sub(r"\((?:bench|doc)[^)]*\)|\[[^\]]*\]\([^)]*\)", "", text)
        for number in numbers_of(text):
            assert is_known(number, found), f"README.md: {number} is not in {path}"
    assert not is_known("987.6543", [98.76, 987.65]) and not is_known("0.0821", [0.0822])


def test_readme_no_other_figures():
    """A speed outside those sections would be in no file."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, text in measured_tables(readme):
        readme = readme.replace(text, "")
    speed = re.compile(r"\d+(?:\.\d+)? ?(?:%|[GM]B/s|[mun]s\b|seconds|times as|x as)")
    assert speed.search("it takes 4.5 ms") and speed.search("93 % of") and speed.search("20 times as long")
    assert not speed.search(readme), speed.search(readme)


if __name__ == "__main__":
    for case_name, case in list(globals().items()):
        if case_name.startswith("test_"):
            print(case_name, flush=True)
            case()
