"""report.py -- one HTML page that needs nothing else: the answer, the tables, the pictures."""
import html
import pathlib
import re
import string

from . import asked, plots, stats, views

TEMPLATE = pathlib.Path(__file__).parent / "report.html"


def number(value):
    """Three digits that matter."""
    if value == 0 or abs(value) >= 1e4 or abs(value) < 1e-3:
        return f"{value:.3g}"
    return f"{value:.{max(0, 2 - len(str(int(abs(value)))) + 1)}f}" if abs(value) >= 1 else f"{value:.3g}"


def spread(low, high):
    return f"{number(low)}..{number(high)}"


def table(head, rows, kind=""):
    """rows: [(class, [cell ...])]; cells are text."""
    def line(cells, tag):
        return "".join(f"<{tag}>{html.escape(str(cell))}</{tag}>" for cell in cells)
    body = "".join(f"<tr class=\"{name}\">{line(cells, 'td')}</tr>" for name, cells in rows)
    return f"<table class=\"{kind}\"><tr>{line(head, 'th')}</tr>{body}</table>"


def picture(folder, name):
    """The SVG itself, so that the page is whole."""
    text = (folder / f"{name}.svg").read_text(encoding="utf-8")
    text = text[text.index("<svg"):]
    # gnuplot's ids are the same in every file, and a page has one set of them
    prefix = re.sub(r"\W", "_", name)
    text = re.sub(r"(id=['\"]|href=['\"]#|url\(#)", rf"\g<1>{prefix}_", text)
    return f"<figure>{text}</figure>"


def asked_table(judged):
    rows = []
    order = {"missed": 0, "open, short in the median": 1, "open, reached in the median": 2, "reached": 3}
    for line, found, verdict in sorted(judged, key=lambda entry: order.get(entry[2], 4)):
        name = verdict.split(",")[0].split(":")[0]
        cells = [line.source, line.what, line.text()]
        cells += ["", ""] if found is None else [number(found.median), spread(found.low, found.high) +
                                                 ("" if stats.is_interval(found.rounds) else f" (all {found.rounds})")]
        rows.append((name if found is not None else "absent", [*cells, verdict]))
    return table(["asked by", "figure", "asked", "measured", "95 % interval", "verdict"], rows, "asked")


def count_verdicts(judged):
    words = [verdict.split(":")[0] for _, _, verdict in judged]
    return "; ".join(f"{words.count(word)} {word}" for word in
                     ("missed", "open, short in the median", "open, reached in the median", "reached",
                      "not measured") if word in words) + \
        ". A figure is missed only if its whole interval lies on the wrong side."


def unit_of(rows):
    shortest = min((stats.estimate(row["seconds"])[0] for row in rows if "seconds" in row), default=1)
    return (1e6, "us") if shortest < 1e-3 else (1e3, "ms") if shortest < 0.1 else (1, "s")


def group_rows(result, scale):
    first = next((row for row in result["rows"] if "seconds" in row), None)
    for row in result["rows"]:
        if "missing" in row:
            yield "absent", [row["name"], row["missing"], *[""] * 7]
            continue
        median, low, high = stats.estimate(row["seconds"])
        speedup = stats.estimate(stats.ratios(first["seconds"], row["seconds"]))
        cpu = stats.estimate(row["cpu_seconds"])[0] * scale if row.get("cpu_seconds") else None
        flagged = len(stats.outliers(row["seconds"]))
        rate = number(row["bytes"] / median / 1e9) if row.get("bytes", 0) > 1000 else ""
        yield "", [row["name"], number(median * scale), spread(low * scale, high * scale),
                   number(min(row["seconds"]) * scale), "" if cpu is None else number(cpu),
                   number(speedup[0]), spread(*speedup[1:]), rate, flagged or ""]


def group_section(folder, result):
    scale, unit = unit_of(result["rows"])
    head = ["row", f"median, {unit}", "95 %", f"least, {unit}", f"CPU, {unit}", "speed-up", "95 %", "GB/s",
            "outliers"]
    few = "" if stats.is_interval(result["rounds"]) else ", too few for a 95 % interval: their whole range"
    said = f"<h2>{html.escape(result['title'])}</h2><p class=\"quiet\"><code>{html.escape(result['command'])}</code>, " \
           f"{result['rounds']} rounds{few}, " \
           f"{result['took_seconds']:.0f} s. Speed-up is against the first row.</p>"
    drawn = ""
    if not any(" @ " in row["name"] for row in result["rows"]) and plots.bars(folder / result["group"], result):
        drawn = picture(folder, result["group"])
    return said + drawn + f"<div class=\"scroll\">{table(head, list(group_rows(result, scale)))}</div>"


def curve(folder, name, title, labels, log, series, notes):
    text = "".join(f"<li>{html.escape(note)}</li>" for note in notes)
    text = f"<ul>{text}</ul>" if text else ""
    if series and plots.curves(folder / name, title, labels, log, series):
        return text + picture(folder, name)
    return text or "<p class=\"quiet\">Not measured.</p>"


def views_of(results, folder):
    machine = plots.machine_text(next(iter(results.values()))["machine"])
    said = {"sizes": "", "workers": "", "latency": ""}
    if "sizes" in results:
        said["sizes"] = curve(folder, "view-sizes", f"Sum of doubles: time against their number\n{machine}",
                              ("elements", "seconds"), "xy", views.size_series(results["sizes"]),
                              views.crossings(results["sizes"]))
    if "workers" in results:
        series, notes = views.worker_series(results["workers"])
        said["workers"] = curve(folder, "view-workers", f"Speed-up over one worker\n{machine}",
                                ("workers", "times as fast as one"), "", series, notes)
    if "latency" in results:
        said["latency"] = curve(folder, "view-latency", f"An empty job: share of jobs done by then\n{machine}",
                                ("microseconds from submit to result", "% of jobs"), "x",
                                views.latency_series(results["latency"]), [])
    return {name: text or "<p class=\"quiet\">Not measured.</p>" for name, text in said.items()}


def write_report(results, folder):
    """Writes FOLDER/report.html and its pictures; returns its path."""
    first = next(iter(results.values()))
    machine, judged = first["machine"], asked.judge(results)
    memory = f"{machine['memory_bytes'] / 2 ** 30:.0f} GiB"
    caches = ", ".join(f"{name} {size}" for name, size in machine["caches"].items())
    notes = sorted({note for result in results.values() for note in result["notes"]})
    warning = "" if not any(result["quick"] for result in results.values()) else \
        "<p class=\"open\">A quick run: small arrays, few rounds. The asked figures are for full runs.</p>"
    page = string.Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        answer=html.escape(views.answer(results)), warning=warning, asked=asked_table(judged),
        verdicts=html.escape(count_verdicts(judged)),
        machine=html.escape(f"{machine['cpu']}, {machine['cpus_usable']} of {machine['cpus']} CPUs, {caches}, "
                            f"{memory}, Linux {machine['kernel']}, {machine['compiler']}, "
                            f"sheaf {machine['sheaf']}"),
        when=html.escape(f"{min(r['begun'] for r in results.values())} to {max(r['begun'] for r in results.values())}, "
                         f"{sum(r['took_seconds'] for r in results.values()) / 60:.0f} minutes in all"),
        counters=html.escape("; ".join(notes)), **views_of(results, folder),
        groups="".join(group_section(folder, result) for result in results.values()))
    path = folder / "report.html"
    path.write_text(page, encoding="utf-8")
    return path
