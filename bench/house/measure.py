"""measure.py -- one group's rounds.

A result is {"group", "title", "rounds", "quick", "machine", "begun", "took_seconds", "rows": [...]}; a row
{"name", "seconds": [of each round], "cpu_seconds": [...], "bytes", "workers", "counters": {...}} or
{"name", "missing": why}.
"""
import json
import pathlib
import re
import subprocess
import tempfile
import time

from . import stats
from .players import Player

ROUNDS_LEAST, ENOUGH = 6, 0.02
COUNTERS_OF_OURS = ("seconds", "cpu_seconds", "bytes_per_second")


def wait_for(process):
    """Its exit status. Ctrl-C reaches it, too: it has the time to take its arrays and peers along."""
    try:
        return process.wait()
    except KeyboardInterrupt:
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
        raise


class House:
    """Where the programs are, and how thorough to be."""

    def __init__(self, build, python, quick=False):
        self.build = pathlib.Path(build)
        self.python = python
        self.quick = quick
        self.sheaf = self.build / "bin" / "sheaf"
        self.peers = self.build / "bin" / "peers"

    def program(self, name):
        if name.endswith(".py"):
            return [self.python, str(pathlib.Path(__file__).parent.parent / name)]
        return [str(self.build / "bench" / name)]

    def compare(self, arguments, peers=True):
        """The JSON of one `sheaf compare`."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "compare.json")
            command = [str(self.sheaf), "compare", *arguments, "--json", str(path)]
            if peers and self.peers.is_dir():
                command += ["--peers", str(self.peers)]
            # Files, not pipes: a peer's child that outlives it would keep a pipe open.
            said = pathlib.Path(folder, "said")
            with open(said, "w", encoding="utf-8") as file:
                status = wait_for(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=file))
            if status != 0:
                raise RuntimeError((said.read_text().strip() or f"exit status {status}").splitlines()[-1])
            return json.loads(path.read_text(encoding="utf-8"))

    def machine(self):
        return self.compare(["max", "--elements", "1000", "--repeat", "1"], peers=False)["machine"]


def rows_of_compare(table, suffix=""):
    rows = []
    for row in table["rows"]:
        is_peer = row["executor"] == "peer"  # whose rows are there for 1 and for all workers
        name = row["variant"] + (f"/{row['workers']}" if is_peer else "") + suffix
        if "missing" in row:
            rows.append({"name": name, "peer": True, "missing": row["missing"]})
            continue
        rows.append({"name": name, "seconds": row["seconds"], "cpu_seconds": row["cpu_seconds"],
                     "bytes": table["bytes"], "workers": row["workers"],
                     "peer": is_peer, "same_bits": row["same_bits"] or row["may_differ"]})
        if "cycles" in row:
            rows[-1]["cycles"], rows[-1]["instructions"] = row["cycles"], row["instructions"]
    for workers, seconds in table["read_limit_seconds"].items():
        rows.append({"name": f"read limit, {workers}{suffix}", "seconds": seconds, "limit": True,
                     "bytes": table["bytes"], "workers": int(workers),
                     "loop": table["read_limit_loop"][workers]})
    return rows


def by_compare(house, group, say):
    arguments = list(group.compare)
    if "--repeat" not in arguments and (group.sweep or house.quick):
        arguments += ["--repeat", str(min(group.rounds, ROUNDS_LEAST + 1) if house.quick else group.rounds)]
    if house.quick:
        arguments += group.quick
    values = (house.quick and group.quick_sweep) or group.sweep
    rows, rounds, notes = [], 0, []
    for value in values or [None]:
        more = [] if value is None else [group.sweep_option, value]
        say(f"{group.name}: sheaf compare {' '.join(arguments + more)}")
        try:
            table = house.compare(arguments + more, group.peers)
        except RuntimeError as error:
            notes.append(str(error))
            continue
        rows += rows_of_compare(table, "" if value is None else f" @ {value}")
        rounds = max(rounds, table["rounds"])
        if table.get("no_counters"):
            notes = [f"cycles and instructions are not counted here: {table['no_counters']}"]
    return {"rounds": rounds, "rows": rows, "notes": notes,
            "command": "sheaf compare " + " ".join(arguments)}


def is_known(row):
    median, low, high = stats.estimate(row["seconds"])
    return low >= median * (1 - ENOUGH) and high <= median * (1 + ENOUGH)


def one_round(rows, number):
    """Every row once, starting from another one in each round."""
    for i in range(len(rows)):
        row = rows[(i + number) % len(rows)]
        if "missing" in row:
            continue
        got = row["player"].run(row["name"])
        if "missing" in got:
            row["missing"] = got["missing"]
            continue
        if number < 0:  # the warm-up
            continue
        row["seconds"].append(got["seconds"])
        row["cpu_seconds"].append(got["cpu_seconds"])
        if "bytes_per_second" in got:
            row["bytes"] = round(got["bytes_per_second"] * got["seconds"])
        for name in got.keys() - COUNTERS_OF_OURS:
            row["counters"].setdefault(name, []).append(got[name])


def by_programs(house, group, machine, say):
    players, rows, notes = [], [], []
    environment = {"SHEAF_PEER_WORKERS": str(machine["cpus_usable"]), **group.environment}
    for program in group.programs:
        try:
            players.append(Player(house.program(program), environment))
        except (OSError, subprocess.SubprocessError) as error:
            notes.append(f"{program} is not there: {error}")
    rounds, most = 0, ROUNDS_LEAST + 1 if house.quick else group.rounds
    budget = group.seconds / 6 if house.quick else group.seconds
    try:
        for player in players:
            rows += [{"name": name, "player": player, "seconds": [], "cpu_seconds": [], "counters": {}}
                     for name in player.rows if re.search(group.rows, name)]
            player.start(group.min_time / 4 if house.quick else group.min_time)
        say(f"{group.name}: {len(rows)} rows, warming up")
        one_round(rows, -1)
        begun = time.monotonic()
        while rounds < most and (rounds < 3 or time.monotonic() - begun < budget):
            say(f"{group.name}: {len(rows)} rows, round {rounds + 1}")
            one_round(rows, rounds)
            rounds += 1
            if rounds >= ROUNDS_LEAST and all(is_known(row) for row in rows if "missing" not in row):
                break
    finally:
        for player in players:
            player.stop()
    for row in rows:
        player = row.pop("player")
        row["program"] = player.name
        row["peer"] = "peer" in player.name
        if "missing" in row:
            for name in ("seconds", "cpu_seconds", "counters"):
                row.pop(name)
    return {"rounds": rounds, "rows": rows, "notes": notes, "command": " + ".join(group.programs)}


def measure(house, group, machine, say):
    begun = time.time()
    result = {"group": group.name, "title": group.title, "quick": house.quick, "machine": machine,
              "begun": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(begun))}
    if house.quick and group.quick:
        result["title"] += f" (quick: {' '.join(group.quick)})"
    result.update(by_compare(house, group, say) if group.compare else by_programs(house, group, machine, say))
    result["took_seconds"] = round(time.time() - begun, 1)
    return result
