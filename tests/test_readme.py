#!/usr/bin/env python3
"""test_readme.py -- does the README's program compile with the README's line, and run?

usage: test_readme.py README.md FOLDER

Takes the first ```c block and the ```sh block after it. The line of that block that begins with "cc "
names the source file and is run as printed (with $CC for cc, and $CFLAGS after it); the lines that begin
with "./" are run next. If the block after that is a ```text block, it is what they print. FOLDER is
where all this happens.
"""
import os
import pathlib
import re
import subprocess
import sys


def blocks(text):
    """(language, text) of each fenced block, in order."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def program(found):
    """The program, the commands that compile and run it, and what it prints (None: not said)."""
    at = next((i for i, (kind, _) in enumerate(found) if kind == "c"), None)
    if at is None:
        sys.exit("README.md has no ```c block")
    sh = next((i for i in range(at + 1, len(found))
               if found[i][0] == "sh" and re.search(r"^cc ", found[i][1], re.MULTILINE)), None)
    if sh is None:
        sys.exit("README.md has no ```sh block with a line `cc ...` after its ```c block")
    lines = found[sh][1].replace("\\\n", " ").splitlines()
    compiles = [line for line in lines if line.startswith("cc ")]
    runs = [line for line in lines if line.startswith("./")]
    if len(compiles) != 1 or not runs:
        sys.exit("README.md: one line `cc ...` is wanted, and a line `./...` that runs the program")
    said = found[sh + 1][1] if sh + 1 < len(found) and found[sh + 1][0] == "text" else None
    return found[at][1], compiles[0], runs, said


def main():
    readme, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    text, compile_line, runs, said = program(blocks(readme.read_text(encoding="utf-8")))
    source = re.search(r"(?<=\s)([\w.-]+\.c)(?=\s|$)", compile_line)
    if source is None:
        sys.exit(f"README.md: no .c file in: {compile_line}")
    (folder / source.group(1)).write_text(text, encoding="utf-8")
    flags = f"{os.environ.get('CC') or 'cc'} {os.environ.get('CFLAGS', '')} "
    printed = ""
    for line in [flags + compile_line[len("cc "):]] + runs:
        done = subprocess.run(["sh", "-c", line], cwd=folder, stdout=subprocess.PIPE, text=True,
                              timeout=120)
        print(f"$ {line}\n{done.stdout}", end="")
        if done.returncode:
            sys.exit(f"README.md: exit status {done.returncode}")
        printed += done.stdout
    if said is not None and printed != said:
        sys.exit(f"README.md says that it prints\n{said}")


if __name__ == "__main__":
    main()
