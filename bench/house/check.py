"""check.py -- is it as it was? Against another folder of results, or against ratios that are kept.

Kept are ratios of two rows of the same rounds, not times: those of the asked figures, which say little of the
machine. A ratio has got worse if its whole interval lies past the kept one by more than the tolerance.
"""
import json
import sys

from . import asked, results, stats

TOLERANCE = 0.25  # of a kept ratio: what two quiet runs on different days of one machine differ by, doubled
SHORT_GROUP, SHORT_TRIES = "million", 3
SHORT_FACTOR = 4  # a run in a debug build beside others is slower, but not so much in its best round
SURE = 0.01       # --compare calls a difference one below this p


def compare(old, new):
    """Prints every row's ratio, old time / new time."""
    print(f"{'group':16} {'row':44} {'old/new':>8} {'95 %':>13} {'p':>8}")
    count = 0
    for group in new:
        if group not in old:
            continue
        before = {row["name"]: row for row in old[group]["rows"] if "seconds" in row}
        for row in new[group]["rows"]:
            if "seconds" not in row or row["name"] not in before:
                continue
            a, b = before[row["name"]]["seconds"], row["seconds"]
            median = stats.estimate(a)[0] / stats.estimate(b)[0]
            # no rounds are common: the ends that the two intervals allow
            low, high = stats.estimate(a)[1] / stats.estimate(b)[2], stats.estimate(a)[2] / stats.estimate(b)[1]
            p = stats.mann_whitney(a, b)
            count += 1
            word = "" if p >= SURE else "faster" if median > 1 else "slower"
            print(f"{group:16} {row['name'][:44]:44} {median:8.3f} {low:6.2f}..{high:<5.2f} {p:8.2g} {word}")
    print(f"Of {count} rows about {SURE * count:.0f} would be called faster or slower if nothing had changed.")
    return 0


def ratios_of(found):
    return {line.what: {"sign": line.sign, "ratio": value.median}
            for line, value, _ in asked.judge(found) if value is not None and " / " in line.expression}


def keep(path, found):
    machine = next(iter(found.values()))["machine"]
    results.save(path, {"machine": machine["cpu"], "isa": machine["isas"][-1], "tolerance": TOLERANCE,
                        "ratios": ratios_of(found)})


def is_worse(sign, kept, value, tolerance):
    """The whole interval is past what is allowed."""
    if sign == ">=":
        return value.high < kept / (1 + tolerance)
    return value.low > kept * (1 + tolerance)


def check(path, found):
    if not path.exists():
        sys.exit(f"run bench --check: no {path}; make it with --keep")
    kept = json.loads(path.read_text(encoding="utf-8"))
    machine = next(iter(found.values()))["machine"]
    if kept["isa"] != machine["isas"][-1]:
        print(f"check: the kept ratios are of {kept['isa']}, this machine has {machine['isas'][-1]}: "
              "nothing to compare")
        return 0
    worse, count = [], 0
    for line, value, _ in asked.judge(found):
        if value is None or line.what not in kept["ratios"] or not stats.is_interval(value.rounds):
            continue
        count += 1
        ratio = kept["ratios"][line.what]["ratio"]
        if is_worse(line.sign, ratio, value, kept["tolerance"]):
            worse.append(f"{line.what}: {value.median:.3g} ({value.low:.3g}..{value.high:.3g}), was {ratio:.3g}")
    print(f"check: {count} ratios, {len(worse)} worse than kept by more than {kept['tolerance']:.0%}")
    print("\n".join(worse))
    return 1 if worse else 0


def short(path, measure):
    """Worse only if it is so in the best round of each of three tries."""
    kept = json.loads(path.read_text(encoding="utf-8"))
    for _ in range(SHORT_TRIES):
        found = measure()
        isa, worse, count = next(iter(found.values()))["machine"]["isas"][-1], [], 0
        for line, value, _ in asked.judge(found):
            if value is None or line.what not in kept["ratios"] or isa != kept["isa"]:
                continue
            count += 1
            ratio, best = kept["ratios"][line.what]["ratio"], max(value.rounds_values)
            best = min(value.rounds_values) if line.sign == "<=" else best
            past = ratio / best if line.sign == ">=" else best / ratio
            if past > SHORT_FACTOR:
                worse.append(f"{line.what}: {best:.3g} in the best round, was {ratio:.3g}")
        print(f"check, short: {count} ratios, {len(worse)} more than {SHORT_FACTOR} times worse than kept")
        if not worse:
            return 0
    print("\n".join(worse))
    return 1
