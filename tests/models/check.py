#!/usr/bin/env python3
"""check.py -- has spin search every interleaving of one model.

usage: check.py MODEL.pml FOLDER

The model's comment lists what must hold and which weakened forms must be found wrong:

     * holds:   -DNAME=VALUE ...
     * refused: -DNAME ...          what it does

A weakened form that passes means that the model does not check what it says. FOLDER is for the
generated verifiers. Exit status 0, 1, or 77 if spin or a compiler is missing.
"""
import pathlib
import re
import shutil
import subprocess
import sys

SECONDS = 300


def call(command, folder):
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=SECONDS)


def must(command, folder):
    done = call(command, folder)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}")
    return done.stdout


def search(model, options, folder, optimisation):
    """(errors, states, what spin said). The search is exhaustive or it is an error."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(model, folder / "model.pml")
    must(["spin", "-a", *options, "model.pml"], folder)
    must(["cc", optimisation, "-w", "-DSAFETY", "-DMEMLIM=1500", "-o", "pan", "pan.c"], folder)
    said = call(["./pan", "-m1000000"], folder).stdout
    errors = re.search(r"errors: (\d+)", said)
    states = re.search(r"(\d+) states, stored", said)
    if errors is None or states is None or "too small" in said or "out of memory" in said or \
            "memory limit" in said:
        sys.exit(f"{model.name} {' '.join(options)}: no verdict\n{said}")
    return int(errors.group(1)), int(states.group(1)), said


def main():
    model, folder = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve()
    for program in ("spin", "cc"):
        if shutil.which(program) is None:
            print(f"skipped: {program} is not installed")
            sys.exit(77)
    rows = re.findall(r"^ \* (holds|refused):((?: +-D\w+(?:=\w+)?)+)", model.read_text(), re.MULTILINE)
    if {kind for kind, _ in rows} != {"holds", "refused"}:
        sys.exit(f"{model.name}: wants a `holds:` and a `refused:` line")
    wrong = 0
    for kind, options in rows:
        # The search for an error ends at the first, mostly before a better verifier would be compiled.
        optimisation = "-O2" if kind == "holds" else "-O0"
        errors, states, said = search(model, options.split(), folder, optimisation)
        why = re.search(r"^pan:1: (.*) \(at depth", said, re.MULTILINE)
        print(f"{model.name}{options}: {'refused, ' + why.group(1) if why else 'holds'}, "
              f"{states} states", flush=True)
        if (errors == 0) != (kind == "holds"):
            wrong += 1
            print(f"    but it must be {kind}\n{said}")
    shutil.rmtree(folder)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
