"""asked.py -- bench/asked.txt: the figures that were asked for, beside what was measured.

A line is

    WHERE FROM | WHAT | ASKED | GROUP | EXPRESSION

ASKED is `>= 0.95`, `<= 5 us`, `>= 100 GB/s`; units: us ns ms s (times of one row), GB/s (bytes of one row), MB (a row's
counter), or none (a ratio of two rows). EXPRESSION is one row, or `A / B`: the ratio of their times in the same
rounds. `A & B` is the faster of two in each round; `ROW:COUNTER` is a counter. {simd} is the fastest instruction set,
{W} the number of workers.
"""
import dataclasses
import pathlib
import re

from . import stats

FILE = pathlib.Path(__file__).parent.parent / "asked.txt"
SCALES = {"": 1, "s": 1, "ms": 1e3, "us": 1e6, "ns": 1e9, "GB/s": 1e-9, "MB": 1e-6}


@dataclasses.dataclass
class Asked:
    source: str
    what: str
    sign: str
    value: float
    unit: str
    group: str
    expression: str

    def text(self):
        return f"{self.sign} {self.value:g}{' ' + self.unit if self.unit else ''}"


@dataclasses.dataclass
class Found:
    median: float
    low: float
    high: float
    rounds: int
    rounds_values: tuple = ()


def load(path=FILE):
    table = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split("|")]
        asked = re.fullmatch(r"([<>]=) ([\d.]+)(?: (\S+))?", fields[2]) if len(fields) == 5 else None
        if asked is None or (asked.group(3) or "") not in SCALES:
            raise SystemExit(f"{path}:{number}: not a line of this table: {line}")
        table.append(Asked(fields[0], fields[1], asked.group(1), float(asked.group(2)),
                           asked.group(3) or "", fields[3], fields[4]))
    return table


class Absent(Exception):
    """Why a figure has no value."""


def row_named(result, name):
    for row in result["rows"]:
        if row["name"] == name:
            if "missing" in row:
                raise Absent(f"{name}: {row['missing']}")
            return row
    raise Absent(f"no row \"{name}\" in {result['group']}")


def term(result, text):
    """The seconds, or the counter, of each round; and the row (the first of several)."""
    names = [name.strip() for name in text.split(" & ")]
    counter = None
    if re.search(r":\w+$", names[0]) and len(names) == 1:
        names[0], counter = names[0].rsplit(":", 1)
    rows = [row_named(result, name) for name in names]
    if counter is not None:
        if counter not in rows[0].get("counters", {}):
            raise Absent(f"{names[0]} has no counter {counter}")
        return rows[0]["counters"][counter], rows[0]
    return [min(times) for times in zip(*(row["seconds"] for row in rows))], rows[0]


def evaluate(asked, result):
    """Found, or Absent is raised."""
    machine = result["machine"]
    text = asked.expression.replace("{simd}", machine["isas"][-1]).replace("{W}", str(machine["cpus_usable"]))
    parts = text.split(" / ")
    values, row = term(result, parts[0])
    if len(parts) == 2:
        values = stats.ratios(values, term(result, parts[1])[0])
    elif asked.unit == "GB/s":
        values = [row["bytes"] / seconds for seconds in values]
    values = [value * SCALES[asked.unit] for value in values]
    return Found(*stats.estimate(values), len(values), tuple(values))


def verdict(asked, found):
    """A figure is missed only when its whole interval lies on the wrong side."""
    good = (lambda x: x >= asked.value) if asked.sign == ">=" else (lambda x: x <= asked.value)
    ends = [good(found.low), good(found.high)]
    if all(ends):
        return "reached"
    if not any(ends):
        return "missed"
    return "open, reached in the median" if good(found.median) else "open, short in the median"


def judge(results):
    """[(asked, Found or None, verdict or reason)]; results: {group: result}."""
    lines = []
    workers = str(next(iter(results.values()))["machine"]["cpus_usable"])
    for asked in load():
        asked.what = asked.what.replace("{W}", workers)
        try:
            if asked.group not in results:
                raise Absent(f"group {asked.group} was not measured")
            found = evaluate(asked, results[asked.group])
            lines.append((asked, found, verdict(asked, found)))
        except Absent as why:
            lines.append((asked, None, f"not measured: {why}"))
    return lines
