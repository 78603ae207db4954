"""plots.py -- pictures by gnuplot, as SVG and PNG. Text and lines are of a grey, and marks of colours, that can be
read on white and on black; there is no background of our own."""
import re
import shutil
import string
import subprocess
import sys

from . import stats

GREY = "#767676"
COLOURS = {"sequential": "#7f8c8d", "threads": "#2f8fd0", "processes": "#d9822b", "peer": "#9a7bd0",
           "limit": "#c0392b"}
LINES = ("#2f8fd0", "#d9822b", "#3aa66b", "#9a7bd0", "#c0392b", "#b8860b", "#7f8c8d", "#d0609a", "#4aa3a2")

STYLE = string.Template("""
set terminal $terminal
set output '$path'
set title "$title" noenhanced tc rgb '$grey'
set border 3 lc rgb '$grey'
set tics textcolor rgb '$grey' nomirror
set grid lc rgb '#9a9a9a' lw 0.5
set key textcolor rgb '$grey' noenhanced
set xlabel "$xlabel" tc rgb '$grey' noenhanced
set ylabel "$ylabel" tc rgb '$grey' noenhanced
""")


def quoted(text):
    return re.sub(r"[\"\\\n]", " ", text)


def has_gnuplot():
    return shutil.which("gnuplot") is not None


def draw(base, height, title, xlabel, ylabel, script):
    """BASE.svg and BASE.png, or nothing if there is no gnuplot. True if drawn."""
    if not has_gnuplot():
        return False
    for suffix, terminal in ((".svg", f"svg size 900,{height} dynamic font 'sans-serif,14'"),
                             (".png", f"pngcairo size 1350,{round(1.5 * height)} transparent "
                                      "font 'sans-serif,11' fontscale 1.5")):
        text = STYLE.substitute(terminal=terminal, path=f"{base}{suffix}", title="\\n".join(map(quoted, title.split("\n"))), grey=GREY,
                                xlabel=quoted(xlabel), ylabel=quoted(ylabel)) + script
        drawn = subprocess.run(["gnuplot"], input=text, text=True, capture_output=True)
        if drawn.returncode != 0:  # a picture less, and not a report less
            print(f"{base}{suffix} is not drawn: {drawn.stderr.strip()[-200:]}", file=sys.stderr)
            return False
    return True


def machine_text(machine):
    return f"{machine['cpu']}, {machine['cpus_usable']} cores, {machine['isas'][-1]}"


def kind(row):
    if row.get("peer"):
        return "peer"
    if row.get("limit"):
        return "limit"
    return row["name"].split(",")[0].split(" ")[0]


def bars(base, result):
    """One bar for each row, with its interval; dashed lines at the read limits."""
    rows = [row for row in result["rows"] if "seconds" in row and not row.get("limit")]
    limits = [row for row in result["rows"] if row.get("limit")]
    if not rows:
        return False
    medians = [stats.estimate(row["seconds"]) for row in rows + limits]
    scale, unit = (1e6, "microseconds") if min(m[0] for m in medians) < 1e-3 else (1, "seconds")
    low = min(m[0] for m in medians) * scale / 2
    lines = ["$rows << EOD"]
    for i, row in enumerate(rows):
        m = [x * scale for x in medians[i]]
        name = row["name"].removesuffix("/1") if row.get("peer") else row["name"]
        name = re.sub(r"/(\d+)$", r", \1 workers", name)
        lines.append(f"{i} {m[0]:.9g} {m[1]:.9g} {m[2]:.9g} {COLOURS.get(kind(row), GREY).replace('#', '0x')} "
                     f"\"{quoted(name)}\"")
    lines.append("EOD")
    for median, _, _ in medians[len(rows):]:
        lines.append(f"set arrow from {median * scale:.9g}, graph 0 to {median * scale:.9g}, graph 1 nohead front "
                     f"dashtype 2 lw 1.5 lc rgb '{COLOURS['limit']}'")
    lines.append(f"""set key off
set logscale x
set yrange [{len(rows)}-0.5:-0.5]
set xrange [{low:.9g}:*]
set ytics noenhanced
set style fill solid 0.9 noborder
plot $rows using ({low:.9g}):1:({low:.9g}):2:($1-0.3):($1+0.3):5:ytic(6) with boxxyerror lc rgb variable, \
$rows using 2:1:3:4 with xerrorbars pt 0 lw 1.5 lc rgb '{GREY}'
""")
    dashed = "; dashed: the read limit" if limits else ""
    return draw(base, 150 + 26 * len(rows), f"{result['title']}\n{machine_text(result['machine'])}{dashed}",
                f"{unit}, median and 95 % interval (shorter is better)", "", "\n".join(lines))


def curves(base, title, labels, log, series):
    """labels: of x and y. log: "xy", "x" or "". series: [(name, [(x, y, low, high)], style)], style "points" (joined, with
    intervals), "line" or "dashed"."""
    # numbers as 10 us and 1M
    lines, drawn = ["set key below", *(f"set logscale {axis}" for axis in log)], []
    lines += ["set format x '%.0s%c'"] if "x" in log and "y" in log else []
    lines += ["set format y '%.0s %cs'"] if "y" in log else []
    lines += ["set xtics 1"] if not log else []
    for i, (name, points, style) in enumerate(series):
        lines += [f"$s{i} << EOD", *(" ".join(f"{value:.9g}" for value in point) for point in points), "EOD"]
        how = {"points": "with lines lw 2", "line": "with lines lw 2",
               "dashed": "with lines dashtype 2 lw 1.5"}[style]
        colour = LINES[i % len(LINES)]
        drawn.append(f"$s{i} using 1:2 {how} lc rgb '{colour}' title \"{quoted(name)}\"")
        if style == "points":
            drawn.append(f"$s{i} using 1:2:3:4 with yerrorbars pt 7 ps 0.6 lw 1 lc rgb '{colour}' notitle")
    return draw(base, 560, title, *labels, "\n".join(lines) + "\nplot " + ", ".join(drawn) + "\n")
