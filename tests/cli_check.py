"""cli_check.py -- what the tests of the sheaf command share: running it, and looking at what it left.

A test program calls main(globals()); its arguments are SHEAF [PART OF A CASE'S NAME].
"""
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

SHEAF = os.path.abspath(sys.argv[1])
PREFIX = f"sheaf-test-{os.getpid()}-"
KEY = PREFIX + "a"
EXECUTORS = ("sequential", "threads", "processes")
SHM = pathlib.Path("/dev/shm")
FOUND_BEFORE = {path.name for path in SHM.glob("sheaf-compare-*")}


def run(*arguments, status=0, environment=None, **options):
    """Runs sheaf; checks the status, and that errors are one line on standard error."""
    done = subprocess.run([SHEAF, *map(str, arguments)], capture_output=True, text=True, timeout=200,
                          env={**os.environ, **(environment or {})}, **options)
    assert done.returncode == status, (arguments, done)
    lines = done.stderr.splitlines()
    assert len(lines) == (0 if status == 0 else 1), (arguments, done)
    if status == 2:
        assert "--help)" in lines[0] and done.stdout == "", done
    return done


def fails(says, *arguments, status=1, **options):
    text = run(*arguments, status=status, **options).stderr
    assert says.lower() in text.lower(), (says, text)


def usage(says, *arguments, **options):
    fails(says, *arguments, status=2, **options)


def output(*arguments, **options):
    return run(*arguments, **options).stdout


def as_json(*arguments, **options):
    return json.loads(output(*arguments, **options), parse_constant=not_json)


def not_json(word):
    raise AssertionError(f"{word} is not JSON")


def create(key=KEY, shape="1000", **options):
    arguments = [x for name, value in options.items() for x in ("--" + name, value)]
    output("create", key, "--shape", shape, *arguments)
    return key


def elements(key, code):
    """An array's elements, read as NumPy's memmap would: they begin at the segment's first byte."""
    size = as_json("info", key, "--json")["bytes"]
    data = (SHM / key).read_bytes()[:size]
    return [x for (x,) in struct.iter_unpack("<" + code, data)]


def npy(path, descr="<f8", shape="(3,)", fortran="False", data=struct.pack("<3d", 1, -2, 3)):
    header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    pathlib.Path(path).write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) +
                                   header.encode() + data)
    return path


def left_behind():
    """Arrays of compares that have ended: nobody else's, and not of one that runs elsewhere."""
    found = {path.name for path in SHM.glob("sheaf-compare-*")} - FOUND_BEFORE
    return {name for name in found if not os.path.exists("/proc/" + name.split("-")[2])}


def main(namespace):
    """Runs the test_ functions of a program, each in a folder of its own."""
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    cases = [(name, case) for name, case in namespace.items()
             if name.startswith("test_") and wanted in name]
    folder = os.getcwd()
    os.environ.pop("SHEAF_ISA", None)
    os.environ.pop("COLUMNS", None)
    try:
        for name, case in cases:
            with tempfile.TemporaryDirectory() as temporary:
                os.chdir(temporary)
                print(name, flush=True)
                try:
                    case()
                finally:
                    os.chdir(folder)
                    for segment in SHM.glob(PREFIX + "*"):
                        segment.unlink()
    finally:
        print(f"{len(cases)} cases", flush=True)

