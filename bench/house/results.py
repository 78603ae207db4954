"""results.py -- a folder of results: GROUP.json for each group, and made from them summary.json (medians, intervals,
ratios, the asked figures) and benchmark.json (Google Benchmark's format, for its own tools)."""
import json
import os
import pathlib

from . import asked, groups, stats, views


def save(path, value):
    """Whole or not at all."""
    temporary = pathlib.Path(f"{path}.{os.getpid()}")
    temporary.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    temporary.rename(path)


def load(folder):
    """{group: result}, in the order of the table; not the files that are made from them."""
    folder = pathlib.Path(folder)
    found = {}
    for path in sorted(folder.glob("*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(result, dict) and "group" in result:
            found[result["group"]] = result
    order = [group.name for group in groups.load()]
    return dict(sorted(found.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order)))


def summary_row(row, first):
    if "missing" in row:
        return {"name": row["name"], "missing": row["missing"]}
    median, low, high = stats.estimate(row["seconds"])
    shown = {"name": row["name"], "seconds_median": median, "seconds_interval": [low, high],
             "seconds_min": min(row["seconds"]), "outliers": stats.outliers(row["seconds"])}
    if row.get("cpu_seconds"):
        shown["cpu_seconds_median"] = stats.estimate(row["cpu_seconds"])[0]
    if row.get("bytes"):
        shown["bytes_per_second"] = row["bytes"] / median
    if first is not None and first is not row:
        speedup, low, high = stats.estimate(stats.ratios(first["seconds"], row["seconds"]))
        shown.update(speedup=speedup, speedup_interval=[low, high])
    for name, values in row.get("counters", {}).items():
        shown.setdefault("counters", {})[name] = stats.estimate(values)[0]
    return shown


def summary(results):
    groups = {}
    for name, result in results.items():
        first = next((row for row in result["rows"] if "seconds" in row), None)
        groups[name] = {"title": result["title"], "command": result["command"], "rounds": result["rounds"],
                        "quick": result["quick"], "begun": result["begun"], "took_seconds": result["took_seconds"],
                        "notes": result["notes"], "rows": [summary_row(row, first) for row in result["rows"]]}
    figures = [{"from": line.source, "what": line.what, "asked": line.text(), "group": line.group,
                "measured": None if found is None else found.median,
                "interval": None if found is None else [found.low, found.high], "verdict": verdict}
               for line, found, verdict in asked.judge(results)]
    machine = next(iter(results.values()))["machine"]
    return {"answer": views.answer(results), "machine": machine, "groups": groups, "asked": figures}


def google_benchmark(results):
    """Each round is a repetition."""
    machine = next(iter(results.values()))["machine"]
    rows = []
    for result in results.values():
        for row in result["rows"]:
            name = f"{result['group']}/{row['name']}"
            if "missing" in row:
                rows.append({"name": name, "run_name": name, "run_type": "iteration", "error_occurred": True,
                             "error_message": row["missing"]})
                continue
            cpu = row.get("cpu_seconds") or row["seconds"]
            for i, seconds in enumerate(row["seconds"]):
                rows.append({"name": name, "run_name": name, "run_type": "iteration", "iterations": 1,
                             "repetitions": len(row["seconds"]), "repetition_index": i, "threads": 1,
                             "real_time": seconds * 1e9, "cpu_time": cpu[i] * 1e9, "time_unit": "ns",
                             **({"bytes_per_second": row["bytes"] / seconds} if row.get("bytes") else {})})
    return {"context": {"executable": "bench/house", "num_cpus": machine["cpus"], "mhz_per_cpu": 0,
                        "cpu_scaling_enabled": False, "caches": [], "library_build_type": "release",
                        "date": next(iter(results.values()))["begun"], "sheaf_machine": machine},
            "benchmarks": rows}
