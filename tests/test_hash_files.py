"""test_hash_files.py -- `sheaf hash` against b3sum 1.2: what is printed, byte for byte, and the status."""
import os
import pathlib
import random
import shutil
import subprocess
import sys

import cli_check
from cli_check import EXECUTORS, KEY, SHEAF, create, output, usage

SECRET = b"whats the Elvish word for friend"
NAMES = [b"a", b" lead", b"trail ", b"b\\c", b"n\nl", b"\\", b"\n", b"\\n", b"cr\rx", b"tab\t", b"bad\xff",
         b"cut\xe2\x82", b"\xf0\x90\x80z", b"\xed\xa0\x80", b"\xc3\xa4", b"\xef\xbf\xbd", b"-x",
         b"a  b", b"\xf4\x90\x80\x80", b"\xe0\x80\x80", b"*", b"\xf0\x9f\x98\x80"]


def both(arguments, given=b"", stderr_lines=None):
    """Runs both; compares status, standard output, and how many lines of errors there are."""
    done = [subprocess.run([*command, *arguments], input=given, capture_output=True, timeout=100, check=False)
            for command in (["b3sum"], [SHEAF, "hash"])]
    theirs, ours = done
    assert theirs.stdout == ours.stdout, (arguments, given, theirs, ours)
    assert theirs.returncode == ours.returncode, (arguments, given, theirs, ours)
    assert len(ours.stderr.splitlines()) == len(theirs.stderr.splitlines()), (arguments, given, theirs, ours)
    return ours.stdout


def make_files():
    for i, name in enumerate(NAMES):
        pathlib.Path(os.fsdecode(name)).write_bytes(bytes(j * 7 % 251 for j in range(i * 300)))
    os.mkdir("directory")


def test_odd_names():
    make_files()
    for name in NAMES:
        both(["--", name])
    both(["--", *NAMES, b"directory", b"missing", b"./a"])
    both(["--no-names", "--", *NAMES, b"missing"])
    both([], b"abc")
    both(["-"], b"abc")
    both(["a", "-", "-", "a"], b"abc")


def test_modes_and_lengths():
    make_files()
    for length in ("0", "1", "32", "33", "64", "131", "10000"):
        both(["--length", length, "--", *NAMES])
        both(["-l", length, "--derive-key", "a context", "b\\c", "a"])
        both(["--keyed", "-l", length, "a", "b\\c"], SECRET)
        both(["--raw", "-l", length, "a"])
    both(["--raw"], b"abc")
    both(["--raw", "missing"])
    both(["--keyed", "a", "-", "missing", " lead"], SECRET)
    both(["--keyed", "a"], SECRET[:31])
    both(["--keyed", "a"], SECRET + b"x")
    both(["--keyed", "a"], b"")
    both(["--derive-key", "", "a"])
    both(["--derive-key", "c", "--no-names"], b"abc")


def test_check():
    make_files()
    good = [name for name in NAMES if b"\xef\xbf\xbd" not in name]
    sums = subprocess.run(["b3sum", "--", *NAMES], capture_output=True, check=True).stdout
    both(["--check"], sums)
    both(["-c", "--quiet"], sums)
    pathlib.Path("sums").write_bytes(sums)
    both(["--check", "sums", "sums"])
    both(["--check", "sums", "missing", "sums"])
    both(["--check", "directory", "sums"])
    both(["--check", "sums"])
    both(["--quiet", "--check", "sums", "-"], sums)
    only_good = subprocess.run([SHEAF, "hash", "--", *[n for n in good if n.isascii()]], capture_output=True, check=True).stdout
    assert b"FAILED" not in both(["--check"], only_good)
    for name in good[:5]:
        pathlib.Path(os.fsdecode(name)).write_bytes(b"changed")
    assert b"FAILED" in both(["--check"], only_good)
    pathlib.Path("b\\c").unlink()
    os.mkdir("b\\c")
    pathlib.Path(" lead").unlink()
    both(["--check"], only_good)


def test_bad_check_lines():
    pathlib.Path("a").write_bytes(b"abc")
    pathlib.Path("n\nl").write_bytes(b"abc")
    digits = b"6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85"
    assert both(["--check"], digits + b"  a\n") == b"a: OK\n"
    assert both(["--check"], b"\\" + digits + b"  n\\nl\n") == b"\\n\\nl: OK\n"
    lines = [b"", b"\n", b"\n\n", b"junk", b"\\", b"\\\n", digits, digits + b"  ", digits + b"  a", digits + b" a\n",
             digits + b"   a\n", digits + b" *a\n", digits + b"\t a\n", digits.upper() + b"  a\n",
             b"g" + digits[1:] + b"  a\n", digits[:-1] + b"  a\n", digits + b"0  a\n", b" " + digits + b"  a\n",
             digits + b"  a\r\n", digits + b"  a\0b\n", digits + b"  \0\n", digits + b"  \xff\n", digits + b"  a\xe2\x82\n",
             digits + b"  \xef\xbf\xbd\n", b"\\" + digits + b"  a\\\n", b"\\" + digits + b"  a\\x\n",
             b"\\" + digits + b"  \\\\n\n", b"\\\\" + digits + b"  a\n", digits + b"  \\\n",
             digits[:62] + "\u00e4".encode() + b"  a\n", digits[:63] + "\u00e4".encode() + b" a\n",
             b"\xef\xbb\xbf" + digits + b"  a\n", b"0" * 64 + b"  a\n", b"BLAKE3 (a) = " + digits + b"\n",
             b"\\" + digits + b"  a\n", digits + b"  missing\n", b"\\" + digits + b"  no\\\\ne\n", digits + b"  .\n"]
    for line in lines:
        both(["--check"], line)
        both(["--check"], digits + b"  a\n" + line + b"\n" + digits + b"  a\n")
    random.seed(3)
    seeds = [digits + b"  a\n", b"\\" + digits + b"  n\\nl\n"]
    for _ in range(150):
        line = bytearray(random.choice(seeds))
        for _ in range(random.randrange(1, 4)):
            line[random.randrange(len(line))] = random.choice(b"\\\n an0fF \x00\x7f\xc3\xa4")
        both(["--check"], bytes(line))


def test_wrong_usage():
    for arguments in (["--keyed", "--derive-key", "c", "a"], ["--check", "--length", "4", "a"], ["--check", "--raw", "a"],
                      ["--check", "--keyed", "a"], ["--check", "--derive-key", "c", "a"], ["--check", "--no-names", "a"],
                      ["--quiet", "a"], ["--keyed"], ["--length", "x", "a"], ["--length", "-1", "a"],
                      ["--raw", "a", "b"], ["--content", "a"], ["--json", "--raw", "a"], ["--length", "18446744073709551616", "a"]):
        usage("", "hash", *arguments, stdin=subprocess.DEVNULL)


def test_arrays():
    create(shape="300x100", fill="uniform")
    pathlib.Path("bytes").write_bytes((cli_check.SHM / KEY).read_bytes()[:300 * 100 * 8])
    for executor in EXECUTORS:
        for options in (["--length", "100"], ["--derive-key", "c"], ["--no-names"], ["--length", "0"]):
            arrays = output("hash", "--array", KEY, "--executor", executor, *options).replace(KEY, "bytes")
            assert arrays == output("hash", "bytes", *options), options
    keyed = subprocess.run([SHEAF, "hash", "--keyed", "--array", KEY, "--no-names"], input=SECRET, capture_output=True,
                           check=True)
    assert keyed.stdout == both(["--keyed", "--no-names", "bytes"], SECRET)
    header = b"sheaf content 1\0" + (13).to_bytes(4, "little") + (2).to_bytes(4, "little")
    header += (300).to_bytes(8, "little") + (100).to_bytes(8, "little")
    inner = subprocess.run(["b3sum", "--raw", "bytes"], capture_output=True, check=True).stdout
    content = both(["--no-names"], header + inner).decode()
    assert output("hash", "--array", KEY, "--content", "--no-names") == content
    assert cli_check.as_json("hash", "--array", KEY, "--content", "--json")["hash"] == content.strip()


if not shutil.which("b3sum"):
    print("no b3sum command: install the package b3sum")
    sys.exit(77)
cli_check.main(globals())
