"""main.py -- the benchmark house: measures, reports, compares with what was before.

usage: ./run bench [FILTER] [OPTIONS]

  FILTER            groups of bench/groups.ini whose names match this regular expression (default: all)
  --quick           smaller arrays and fewer rounds: two minutes in place of 20
  --into FOLDER     where results go (default: build/bench/results)
  --resume          keep the groups that FOLDER has, and measure the others; with a FILTER that is a piece of a
                    long run, and --report makes the page when all pieces are there
  --report          measure nothing: make the report of what FOLDER has
  --compare OLD     the ratio of every row's time to that in OLD (a folder of results), with a test whether they
                    differ at all
  --check           compare with the ratios in bench/results/ratios.json: fails past their tolerance
  --short           with --check: a few seconds, and only what is several times as slow in every round of three tries
                    fails, which noise alone does not do
  --keep            copy the results to bench/results/, and write ratios.json and the README's table and picture
  --list            the groups
"""
import argparse
import pathlib
import re
import shutil
import sys

from . import check, groups, measure, plots, readme, results
from .report import write_report

ROOT = pathlib.Path(__file__).parent.parent.parent
RATIOS = ROOT / "bench" / "results" / "ratios.json"


def say(text):
    if sys.stderr.isatty():
        print(f"\r{text[:100]}\x1b[K", end="", file=sys.stderr, flush=True)


def measure_all(options, folder):
    house = measure.House(options.build, sys.executable, options.quick)
    folder.mkdir(parents=True, exist_ok=True)
    machine = house.machine()
    for group in groups.load():
        path = folder / f"{group.name}.json"
        if not re.search(options.filter, group.name) or (options.quick and group.skip_quick):
            continue
        if options.resume and path.exists():
            continue
        try:
            result = measure.measure(house, group, machine, say)
        except KeyboardInterrupt:
            sys.exit(130)
        say("")
        if not result["rows"]:  # the next --resume tries again
            print(f"{group.name:16} nothing measured: {'; '.join(result['notes'])[:100]}", flush=True)
            continue
        results.save(path, result)
        print(f"{group.name:16} {len(result['rows']):4} rows {result['rounds']:3} rounds "
              f"{result['took_seconds']:6.1f} s  {'; '.join(result['notes'])[:100]}", flush=True)


def measure_short(options):
    house = measure.House(options.build, sys.executable, quick=True)
    group = next(group for group in groups.load() if group.name == check.SHORT_GROUP)
    return {group.name: measure.measure(house, group, house.machine(), say)}


def keep(folder, found):
    """What the repository holds: all rounds of all groups, the page, the README's picture and table, the ratios."""
    kept = RATIOS.parent
    for name in [*(f"{group}.json" for group in found), "summary.json", "report.html"]:
        shutil.copy(folder / name, kept / name)
    for picture in (folder / f"{readme.GROUP}.svg",):
        if picture.exists():
            shutil.copy(picture, kept / picture.name)
    check.keep(RATIOS, found)
    readme.write(ROOT / "README.md", found)


def parse(arguments):
    parser = argparse.ArgumentParser(prog="./run bench", usage=__doc__, add_help=False)
    parser.add_argument("filter", nargs="?", default=".")
    parser.add_argument("--help", "-h", action="store_true")
    for flag in ("quick", "resume", "report", "check", "short", "keep", "list"):
        parser.add_argument(f"--{flag}", action="store_true")
    parser.add_argument("--into", default=str(ROOT / "build" / "bench" / "results"))
    parser.add_argument("--build", default=str(ROOT / "build" / "release"))
    parser.add_argument("--compare")
    options = parser.parse_args(arguments)
    if options.help:
        print(__doc__)
        sys.exit(0)
    try:
        re.compile(options.filter)
    except re.error as error:
        parser.error(f"FILTER {options.filter}: {error}")
    return options


def main(arguments):
    options = parse(arguments)
    folder = pathlib.Path(options.into)
    if options.list:
        for group in groups.load():
            print(f"{group.name:16} {group.title}")
        return 0
    if options.short:
        return check.short(RATIOS, lambda: measure_short(options))
    if options.keep and not plots.has_gnuplot():
        sys.exit("run bench --keep: no gnuplot, and the README's picture would be of another run")
    if not options.report:
        if not options.resume and options.filter == "." and folder.is_dir():
            for path in folder.glob("*.json"):
                path.unlink()
        measure_all(options, folder)
    found = results.load(folder)
    if options.keep and readme.GROUP not in found:
        sys.exit(f"run bench --keep: the README's table is of {readme.GROUP}, which {folder} has no results of")
    if not found:
        sys.exit(f"run bench: no results in {folder}, and no group matches {options.filter}")
    if options.resume and options.filter != "." and not (options.check or options.compare or options.keep):
        return 0  # a piece of a longer run
    results.save(folder / "summary.json", results.summary(found))
    results.save(folder / "benchmark.json", results.google_benchmark(found))
    print(f"report: {write_report(found, folder)}")
    if options.keep:
        keep(folder, found)
    status = check.compare(results.load(options.compare), found) if options.compare else 0
    return check.check(RATIOS, found) if options.check else status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
