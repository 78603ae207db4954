"""players.py -- programs that run one row when told to: the lines are those of bench/bench_main.cpp."""
import os
import re
import select
import subprocess

PATIENCE_S = 300
# What Google Benchmark appends to a name to say how it is measured.
HOW = re.compile(r"/(real_time|manual_time|process_time|iterations:\d+|min_time:[\d.]+|repeats:\d+)")


class Player:
    """One program. rows: {shown name: name that the program knows}."""

    def __init__(self, argv, environment=None):
        self.name = os.path.basename(argv[-1])
        self.argv = argv
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        done = subprocess.run([*argv, "--benchmark_list_tests"], env=self.environment, text=True,
                              stdout=subprocess.PIPE, timeout=PATIENCE_S, check=True)
        self.rows = {HOW.sub("", line): line for line in done.stdout.splitlines() if line.strip()}

    def start(self, min_time):
        self.process = subprocess.Popen(
            [*self.argv, "--serve", f"--benchmark_min_time={min_time}"], env=self.environment,
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)

    def run(self, shown):
        """{"seconds", "cpu_seconds", counters ...} of one iteration, or {"missing": why}."""
        try:
            self.process.stdin.write(self.rows[shown] + "\n")
            self.process.stdin.flush()
            ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
            if not ready:
                self.process.kill()  # what it says later would be taken for another row's
            line = self.process.stdout.readline() if ready else ""
        except BrokenPipeError:
            line = ""
        parts = line.rstrip("\n").split("\t")
        if parts[0] == "fail":
            return {"missing": parts[1] if len(parts) > 1 else "no reason given"}
        if parts[0] != "done":
            return {"missing": f"{self.name} has ended, or is silent for {PATIENCE_S} s"}
        counters = dict(pair.split("=") for pair in parts[3].split()) if len(parts) > 3 else {}
        return {"seconds": float(parts[1]), "cpu_seconds": float(parts[2]),
                **{name: float(value) for name, value in counters.items()}}

    def stop(self):
        if self.process is None:
            return
        try:
            self.process.stdin.close()
            self.process.wait(timeout=20)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
