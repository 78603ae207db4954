#!/usr/bin/env python3
"""test_cli_scrypt.py -- sheaf scrypt from outside, against Python's hashlib.scrypt (OpenSSL).

usage: test_cli_scrypt.py SHEAF [PART OF A CASE'S NAME]
"""
import hashlib
import pathlib
import subprocess

from cli_check import EXECUTORS, SHEAF, fails, main, output, run, usage

COST = ("--n", 16, "--r", 3, "--p", 2)


def key(password, salt=b"grain", length=64):
    return hashlib.scrypt(password, salt=salt, n=16, r=3, p=2, dklen=length).hex()


def lines_of(passwords, *arguments):
    done = subprocess.run([SHEAF, "scrypt", *map(str, arguments)], input=passwords,
                          capture_output=True, timeout=100, check=True)
    assert done.stderr == b"", done
    return done.stdout.decode().split("\n")[:-1]


def test_a_line_of_hex_for_each_password_in_order():
    passwords = [b"", b"a", b"two words ", b"\xff\xfe\x00\x01", b"x" * 5000, b"cr\r"]
    expected = [key(password) for password in passwords]
    for executor in EXECUTORS:
        found = lines_of(b"\n".join(passwords), *COST, "--salt", "grain", "--executor", executor)
        assert found == expected, executor
    assert lines_of(b"a\n", *COST, "--salt", "grain") == [key(b"a")]
    assert lines_of(b"", *COST, "--salt", "grain") == []
    pathlib.Path("passwords").write_bytes(b"a\nb\n")
    assert output("scrypt", *COST, "--salt", "grain", "passwords").split() == [key(b"a"), key(b"b")]


def test_many_passwords():
    passwords = [b"password %d" % i for i in range(300)]
    found = lines_of(b"\n".join(passwords), *COST, "--salt", "grain", "--length", 17)
    assert found == [key(password, length=17) for password in passwords]


def test_salts():
    assert lines_of(b"a", *COST, "--salt", "hex:00ffA0") == [key(b"a", b"\x00\xff\xa0")]
    assert lines_of(b"a", *COST, "--salt", "hex:") == [key(b"a", b"")]
    assert lines_of(b"a", *COST, "--salt", "") == [key(b"a", b"")]
    for salt in ("hex:0", "hex:0g", "hex:00 1"):
        usage("hex digits", "scrypt", *COST, "--salt", salt)


def test_verify():
    pathlib.Path("passwords").write_bytes(b"a\nb\nc\n")
    arguments = ("scrypt", *COST, "--salt", "grain", "--verify", "keys", "passwords")
    keys = [key(b"a"), key(b"b").upper(), key(b"c")]
    pathlib.Path("keys").write_text("\n".join(keys))
    assert output(*arguments) == "OK\nOK\nOK\n"
    pathlib.Path("keys").write_text("\n".join([keys[0], keys[2], keys[2]]))
    assert run(*arguments, status=1).stdout == "OK\nFAILED\nOK\n"
    pathlib.Path("keys").write_text("\n".join([keys[0], keys[1][:-1], ""]))
    assert run(*arguments, status=1).stdout == "OK\nFAILED\nFAILED\n"
    pathlib.Path("keys").write_text("\n".join(keys + keys))
    fails("more lines", *arguments)
    fails("nowhere", "scrypt", *COST, "--salt", "x", "--verify", "nowhere", "passwords")


def test_refusals():
    usage("needed", "scrypt", *COST)
    usage("--n", "scrypt", "--n", 0, "--r", 1, "--p", 1, "--salt", "x")
    usage("--length", "scrypt", *COST, "--salt", "x", "--length", 0)
    usage("no arguments", "scrypt", *COST, "--salt", "x", "file", "password")
    pathlib.Path("passwords").write_bytes(b"a\n")
    fails("power of two", "scrypt", "--n", 12, "--r", 1, "--p", 1, "--salt", "x", "passwords")
    fails("needs", "scrypt", "--n", 1 << 20, "--r", 8, "--p", 1, "--salt", "x", "--memory", 1 << 29,
          "passwords")
    fails("No such file", "scrypt", *COST, "--salt", "x", "nowhere")


if __name__ == "__main__":
    main(globals())
