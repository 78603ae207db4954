#!/usr/bin/env python3
"""summary.py -- adds up the ctest runs of `./run test`.

usage: summary.py FOLDER, which holds NAME.xml (JUnit, from ctest) for each NAME in the file "runs",
and the failures of other steps in the file "failed-steps". Prints every failed test, every skipped
one with its reason, and last the line "N passed, N failed, N skipped". Exit status 0 if nothing failed
and something passed.
"""
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def reason(case):
    """The test's own "skipped: ..." line, or what ctest says."""
    output = case.findtext("system-out") or ""
    found = re.search(r"^.*skipped: (.*)$", output, re.MULTILINE)
    if found:
        return found.group(1)
    skipped = case.find("skipped")
    return skipped.get("message", "no reason given") if skipped is not None else "no reason given"


def add_up(name, path, passed, failed, skipped):
    if not path.exists():
        failed.append(f"{name}: ctest wrote no results")
        return
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        test, status = f"{name}: {case.get('name')}", case.get("status")
        if status == "run":
            passed.append(test)
        elif status in ("notrun", "disabled") and case.find("failure") is None:
            skipped.append(f"{test}: {reason(case)}")
        else:
            failed.append(test)


def main():
    folder = pathlib.Path(sys.argv[1])
    passed, skipped, failed = [], [], lines(folder / "failed-steps")
    for name in lines(folder / "runs"):
        add_up(name, folder / f"{name}.xml", passed, failed, skipped)
    for test in skipped:
        print("skipped", test)
    for test in failed:
        print("FAILED ", test)
    print(f"{len(passed)} passed, {len(failed)} failed, {len(skipped)} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
