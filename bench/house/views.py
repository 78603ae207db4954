"""views.py -- what the numbers say: crossing points, the lines of Amdahl and of the memory, latencies; and the answer
in a sentence."""
import re

from . import plots, stats


def swept(result):
    """{row name without its " @ VALUE": [(value, seconds of each round, row)]}."""
    found = {}
    for row in result["rows"]:
        name, _, value = row["name"].rpartition(" @ ")
        if "seconds" in row and name:
            found.setdefault(name, []).append((int(value), row["seconds"], row))
    return {name: sorted(points, key=lambda point: point[0]) for name, points in found.items()}


def big(n):
    return f"{n:,}".replace(",", " ")


def crossing(base, other):
    """Between which sizes `other` begins to be faster than `base` for good: (last slower, first faster), either None."""
    times = {size: stats.estimate(seconds)[0] for size, seconds, _ in base}
    pays = [(size, stats.estimate(seconds)[0] < times[size]) for size, seconds, _ in other if size in times]
    first = len(pays)
    while first > 0 and pays[first - 1][1]:
        first -= 1
    return (pays[first - 1][0] if first > 0 else None, pays[first][0] if first < len(pays) else None)


def crossings(result):
    """In words, against one core with SIMD."""
    isa = result["machine"]["isas"][-1]
    rows = swept(result)
    base = rows.get(f"sequential, {isa}")
    wanted = (f"threads, {isa}", f"processes, {isa}, warm pool", f"processes, {isa}, cold pool",
              "processes, data copied", "OpenMP, reduction(+)/", "ThreadPoolExecutor", "ProcessPoolExecutor, by key")
    said = []
    for name, points in rows.items():
        if base is None or not name.startswith(wanted):
            continue
        before, after = crossing(base, points)
        if after is None:
            said.append(f"{name}: never up to {big(points[-1][0])} elements")
        elif before is None:
            said.append(f"{name}: from {big(after)} elements or fewer")
        else:
            said.append(f"{name}: somewhere between {big(before)} and {big(after)} elements")
    return said


def size_series(result):
    isa = result["machine"]["isas"][-1]
    rows = swept(result)
    names = ["sequential, plain loop", f"sequential, {isa}", f"threads, {isa}", f"processes, {isa}, warm pool",
             f"processes, {isa}, cold pool", "processes, data copied", "numpy, sum/1"]
    names += [name for name in rows if name.startswith(("ProcessPoolExecutor, chunks copied", "OpenMP"))]
    return [(name, [(size, *stats.estimate(seconds)) for size, seconds, _ in rows[name]], "points")
            for name in names if name in rows]


def worker_series(result):
    """Speed-up over one worker, measured; and as Amdahl's law with the fitted serial share, and the read limit, have it."""
    isa = result["machine"]["isas"][-1]
    rows = swept(result)
    series, notes = [], []
    for name in (f"threads, {isa}", "threads, scalar", f"processes, {isa}, warm pool", "processes, scalar"):
        points = rows.get(name, [])
        if len(points) < 2:
            continue
        one = stats.estimate(points[0][1])[0]
        shown = [(w, one / m, one / high, one / low) for w, (m, low, high) in
                 ((w, stats.estimate(seconds)) for w, seconds, _ in points)]
        series.append((name, shown, "points"))
        cores = result["machine"]["cpus_usable"]
        fitted = [(1 / s - 1 / w) / (1 - 1 / w) for w, s, _, _ in shown if 1 < w <= cores]
        if fitted:
            share = min(max(sum(fitted) / len(fitted), 0), 1)
            notes.append(f"{name}: as if {share:.0%} of the work were serial (Amdahl)")
            if name == "threads, scalar":
                series.append((f"Amdahl, {share:.0%} serial",
                               [(w, 1 / (share + (1 - share) / min(w, cores))) for w, *_ in shown], "dashed"))
    limits = {int(name.split(", ")[1]): points for name, points in rows.items() if name.startswith("read limit")}
    first = rows.get(f"threads, {isa}")
    if first and 1 in limits:
        one = stats.estimate(first[0][1])[0]
        line = [(w, one / stats.estimate(seconds)[0]) for w, points in sorted(limits.items())
                for value, seconds, _ in points if value == w or (w == 1 and value == 1)]
        series.append((f"memory: the read limit over threads, {isa}", line, "dashed"))
    return series, notes


def latency_series(result):
    """Quantiles (counters q01 .. q99 of a row) as a distribution: share of jobs against microseconds."""
    series = []
    for row in result["rows"]:
        points = sorted((int(name[1:]), stats.estimate(values)[0])
                        for name, values in row.get("counters", {}).items() if re.fullmatch(r"q\d\d", name))
        if points:
            series.append((row["name"], [(seconds * 1e6, share, share, share) for share, seconds in points], "line"))
    return series


def share_of(result, over, under):
    rows = {row["name"]: row for row in result["rows"] if "seconds" in row}
    if over not in rows or under not in rows:
        return None
    return stats.estimate(stats.ratios(rows[over]["seconds"], rows[under]["seconds"]))


def answer(results):
    """The report in a sentence."""
    result = results.get("max") or results.get("sum")
    if result is None:
        return "Neither max nor sum was measured."
    isa, workers = result["machine"]["isas"][-1], result["machine"]["cpus_usable"]
    threads, warm = f"threads, {isa}", f"processes, {isa}, warm pool"
    pace = share_of(result, threads, warm)
    copied = share_of(result, "processes, data copied", warm)
    simd = share_of(result, "sequential, plain loop", f"sequential, {isa}")
    limit = share_of(result, f"read limit, {workers}", threads)
    said = f"On this machine ({plots.machine_text(result['machine'])}), for {result['title'][0].lower()}{result['title'][1:]}"
    if pace:
        said += f", shared-memory processes reach {100 * pace[0]:.0f} % of the speed of threads"
    if copied:
        said += f"; copying the data to processes costs {copied[0]:.1f} times as much as sharing it"
    if simd:
        said += f"; SIMD on one core is {simd[0]:.1f} times as fast as a plain loop"
    if limit:
        said += f"; threads reach {100 * limit[0]:.0f} % of what the memory gives"
    others = [(row["name"], share_of(result, row["name"], threads)) for row in result["rows"]
              if row.get("peer") and "seconds" in row]
    if others:
        best = min(others, key=lambda pair: pair[1][0])
        said += f"; the fastest of the others, {best[0]}, takes {best[1][0]:.2f} times as long as our threads"
    return said + "."
