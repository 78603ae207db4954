"""readme.py -- the README's table and picture, from results: between the lines

    <!-- results: FILE -->        a file of bench/results/ that every number up to
    <!-- end -->                  this line is in (tests/test_bench.py looks)
"""
import re

from . import stats, views

GROUP = "max"
SECTION = re.compile(r"(<!-- results: \S+ -->\n).*?(<!-- end -->)", re.DOTALL)


def table(result):
    first = next(row for row in result["rows"] if "seconds" in row)
    lines = ["| way | workers | median, s | 95 % | speed-up | 95 % | GB/s |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for row in result["rows"]:
        if "missing" in row:
            lines.append(f"| {row['name']} | | {row['missing']} | | | | |")
            continue
        median, low, high = stats.estimate(row["seconds"])
        speedup, least, most = stats.estimate(stats.ratios(first["seconds"], row["seconds"]))
        name = re.sub(r"/\d+$", "", row["name"])
        bounds = "" if row is first else f"{least:.2f}..{most:.2f}"
        lines.append(f"| {name} | {row['workers']} | {median:.4f} | {low:.4f}..{high:.4f} | {speedup:.2f} | "
                     f"{bounds} | {row['bytes'] / median / 1e9:.2f} |")
    return "\n".join(lines)


def section(results, name):
    result = results[GROUP]
    machine = result["machine"]
    return (f"{views.answer(results)}\n\n"
            f"![{result['title']}: a bar for each way](bench/results/{GROUP}.svg)\n\n{table(result)}\n\n"
            f"Made by `./run bench` ({result['command']}, {result['rounds']} rounds) on a virtual machine, shared "
            f"with others at the time: {machine['cpu']}, {machine['cpus_usable']} CPUs, "
            f"{machine['compiler']}. All rounds, and the figures that were asked for beside those measured: "
            f"`bench/results/` ({name}).\n")


def write(path, results, name="summary.json"):
    text = path.read_text(encoding="utf-8")
    if not SECTION.search(text):
        raise SystemExit(f"{path} has no lines <!-- results: FILE --> and <!-- end -->")
    new = SECTION.sub(lambda match: match.group(1) + section(results, name) + match.group(2), text, count=1)
    path.write_text(new, encoding="utf-8")
