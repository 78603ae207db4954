#!/usr/bin/env python3
"""layout.py -- what the repository promises about its own text and its library's symbols.

usage: layout.py CHECK ROOT [ARGUMENT...]

  sizes ROOT              files of at most 500 lines, functions of at most 60
  words ROOT              no reminders left in the text, no paths of one machine
  symbols ROOT LIBRARY    every symbol that libsheaf.so exports begins with sheaf_
  format ROOT             clang-format would change nothing
  tidy ROOT BUILD         clang-tidy (the checks of .clang-tidy) over BUILD/compile_commands.json

Each check first proves on a small wrong input of its own that it can fail. Exit status 0 right, 1
wrong (with one line for each breach), 77 cannot be checked here (with the reason).
"""
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

FILE_LINES, FUNCTION_LINES = 500, 60
C_FILES = (".c", ".h", ".cpp", ".def")
TOOL_VERSION = "14"  # of clang-format and clang-tidy: other versions see another layout
FOLDERS = ("include", "engine", "kernels", "bench", "tests")
# Written in pieces, so that this file passes its own check.
WORDS = re.compile(
    r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b|(?<![\w.~}-])/(wor" r"k|ro" r"ot|tmp/w" r"t|home/\w+)/"
)


def fail(breaches):
    print("\n".join(breaches))
    sys.exit(1 if breaches else 0)


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(77)


def prove(condition, what):
    if not condition:
        print(f"this check cannot fail: {what}")
        sys.exit(1)


def sources(root):
    """The repository's files: what git knows and what it would add, or all but build/ without git."""
    git = ["git", "-C", str(root), "ls-files", "-co", "--exclude-standard"]
    try:
        names = subprocess.run(git, check=True, capture_output=True, text=True).stdout.splitlines()
        found = [root / name for name in names]
    except (OSError, subprocess.CalledProcessError):
        found = [path for path in root.rglob("*") if (path.relative_to(root).parts[0] not in
                                                      ("build", ".git"))]
    return sorted(path for path in found if path.is_file())


def c_sources(root, suffixes=C_FILES):
    found = [path for path in sources(root) if path.suffix in suffixes and
             path.relative_to(root).parts[0] in FOLDERS]
    prove(found, f"no sources under {root}")
    return found


def text_lines(path):
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []  # golden bytes, not text


# ---- sizes ------------------------------------------------------------------------------------------
def long_functions(lines):
    """(first line, length) of each function that is too long, in a file that clang-format laid out: the
    body's braces stand alone in column 0, and what comes before them up to a blank is the head."""
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
            while start > 0 and re.match(r"[\w(*\s]+[^\s]", lines[start - 1]) and \
                    not lines[start - 1].endswith("*/"):
                start -= 1
        elif line == "}" and start is not None:
            if number - start + 1 > FUNCTION_LINES:
                yield start + 1, number - start + 1
            start = None


def too_big(name, lines):
    if len(lines) > FILE_LINES:
        yield f"{name}: {len(lines)} lines, at most {FILE_LINES}"
    for first, count in long_functions(lines):
        yield f"{name}:{first}: a function of {count} lines, at most {FUNCTION_LINES}"


def check_sizes(root):
    body = ["/* on two", " * lines */", "static int f(int a,", "             int b)", "{"] + ["    a += b;"] * 57
    prove(not list(too_big("fits", body[:-1] + ["}"])), "a function of 60 lines is refused")
    prove(len(list(too_big("long", body + ["}"]))) == 1, "a function of 61 lines passes")
    prove(len(list(too_big("big", [""] * 501))) == 1, "a file of 501 lines passes")
    breaches = []
    for path in c_sources(root):
        breaches += too_big(path.relative_to(root), text_lines(path))
    fail(breaches)


# ---- words ------------------------------------------------------------------------------------------
def check_words(root):
    for wrong in ("// TO" "DO: x", "a XX" "X b", "cd /wor" "k/main", "\"/ro" "ot/x\"", "/tmp/w" "t/a"):
        prove(WORDS.search(wrong), wrong)
    for right in ("sheaf-XX" "XXXX", "net/wor" "k/x", "/tmp/x", "engine/work.c"):
        prove(not WORDS.search(right), right)
    breaches = []
    for path in sources(root):
        for number, line in enumerate(text_lines(path), 1):
            if WORDS.search(line):
                breaches.append(f"{path.relative_to(root)}:{number}: {line.strip()}")
    fail(breaches)


# ---- symbols ----------------------------------------------------------------------------------------
def foreign_symbols(nm_output):
    names = [line.split()[-1] for line in nm_output.splitlines() if line.strip()]
    return names, [name for name in names if not name.startswith("sheaf_")]


def check_symbols(root, library):
    if shutil.which("nm") is None:
        skip("nm is not installed (package binutils)")
    prove(foreign_symbols("0000 T sheaf_a\n0001 T segment_map\n")[1] == ["segment_map"], "segment_map")
    command = ["nm", "-D", "--defined-only", library]
    names, foreign = foreign_symbols(subprocess.run(command, check=True, capture_output=True,
                                                    text=True).stdout)
    prove("sheaf_version" in names, f"{library} does not export sheaf_version")
    fail([f"{library} exports {name}, which is no name of ours" for name in foreign])


# ---- format and tidy ----------------------------------------------------------------------------------
def tool(name):
    for candidate in (f"{name}-{TOOL_VERSION}", name):
        if shutil.which(candidate) is None:
            continue
        version = subprocess.run([candidate, "--version"], capture_output=True, text=True).stdout
        if re.search(rf"version {TOOL_VERSION}\.", version):
            return candidate
    skip(f"{name} {TOOL_VERSION} is not installed (package {name}-{TOOL_VERSION})")


def check_format(root):
    command = [tool("clang-format"), "--dry-run", "--Werror", f"--style=file:{root}/.clang-format"]
    with tempfile.TemporaryDirectory() as folder:
        wrong = pathlib.Path(folder, "wrong.c")
        wrong.write_text("int  f( void ) { return 1 ; }\n")
        prove(subprocess.run(command + [wrong], capture_output=True).returncode != 0, "a bad layout")
    done = subprocess.run(command + c_sources(root, (".c", ".h", ".cpp")))
    sys.exit(1 if done.returncode else 0)


def tidy(command, build, path):
    done = subprocess.run(command + ["-p", build, str(path)], capture_output=True, text=True)
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")


def check_tidy(root, build):
    command = [tool("clang-tidy"), "--quiet", f"--config-file={root}/.clang-tidy"]
    with tempfile.TemporaryDirectory() as folder:
        wrong = pathlib.Path(folder, "wrong.c")
        wrong.write_text("int f(int *p);\nint f(int *p) { if (!p) return *p; return 0; }\n")
        done = subprocess.run(command + [wrong, "--"], capture_output=True)
        prove(done.returncode != 0, "a null pointer that is read")
    entries = json.loads(pathlib.Path(build, "compile_commands.json").read_text())
    files = sorted({pathlib.Path(entry["directory"], entry["file"]) for entry in entries})
    files = [path for path in files if path.suffix == ".c" and root in path.parents]
    prove(files, "no files")
    failed = False
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for status, text in pool.map(lambda path: tidy(command, build, path), files):
            if status:
                failed = True
                print(text)
    print(f"{len(files)} files")
    sys.exit(1 if failed else 0)


def main():
    checks = {"sizes": check_sizes, "words": check_words, "symbols": check_symbols,
              "format": check_format, "tidy": check_tidy}
    if len(sys.argv) < 3 or sys.argv[1] not in checks:
        sys.exit(__doc__)
    checks[sys.argv[1]](pathlib.Path(sys.argv[2]).resolve(), *sys.argv[3:])


if __name__ == "__main__":
    main()
