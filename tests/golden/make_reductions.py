#!/usr/bin/env python3
"""make_reductions.py -- what every reduction must give, computed from the text of <sheaf/reduce.h>.

An oracle on its own, as make_golden.py beside it, which holds the order of a sum. Standard library only.

    make_reductions.py > reductions.txt        make_reductions.py --check reductions.txt

A line is: op dtype kind length seed value second index. value and second are the bits of an i64, or of a
float of the result's dtype, as hexadecimal numbers with the dtype before them. The data are drawn from
splitmix64, one z for each element, and changed as the kind says:

    plain     as make_golden.py has it
    small     z % 7 - 3: ties, and zeros
    nans      plain; a NaN where z % 61 is 0
    infs      plain; an infinity of the sign of z's top bit where z % 257 is 5 (integers: the limits)
    zeros     a zero of the sign of z's top bit
    wide      z's own bits, with an exponent that is not all ones
    tiny      z % 5 - 2 times the least number
    huge      plain, scaled so that squares and sums overflow
    allnan    NaN
"""
import math
import struct
import sys

import make_golden as base

KINDS = {"f": ["plain", "small", "nans", "infs", "zeros", "wide", "tiny", "huge", "allnan"],
         "i": ["plain", "small", "infs", "zeros"]}
NAN = float("nan")


def round_to(dtype, x):
    if dtype == "f64":
        return x
    try:
        return struct.unpack("<f", struct.pack("<f", x))[0]
    except OverflowError:
        return math.copysign(math.inf, x)


def wide(dtype, z):
    if dtype == "f64":
        if z >> 52 & 0x7ff == 0x7ff:
            z ^= 1 << 62
        return struct.unpack("<d", struct.pack("<Q", z))[0]
    z >>= 32
    if z >> 23 & 0xff == 0xff:
        z ^= 1 << 30
    return struct.unpack("<f", struct.pack("<I", z))[0]


def element(dtype, kind, z):
    sign = -1 if z >> 63 else 1
    if dtype[0] == "i":
        width = int(dtype[1:])
        if kind == "small":
            return z % 7 - 3
        if kind == "zeros":
            return 0
        if kind == "infs" and z % 257 == 5:
            return -(1 << (width - 1)) if sign < 0 else (1 << (width - 1)) - 1
        return base.element(dtype, z)
    if kind == "small":
        return float(z % 7) - 3.0
    if kind == "zeros":
        return sign * 0.0
    if kind == "wide":
        return wide(dtype, z)
    if kind == "tiny":
        return (float(z % 5) - 2.0) * (2.0 ** -149 if dtype == "f32" else 2.0 ** -1074)
    if kind == "allnan" or (kind == "nans" and z % 61 == 0):
        return NAN
    if kind == "infs" and z % 257 == 5:
        return sign * math.inf
    x = base.element(dtype, z)
    return x * (2.0 ** 112 if dtype == "f32" else 2.0 ** 1005) if kind == "huge" else x


def data(dtype, kind, n, seed):
    draw = base.splitmix64(seed)
    return [element(dtype, kind, next(draw)) for _ in range(n)]


# ---- What each operation gives: (dtype, value, second, index), or None for SHEAF_ERR_EMPTY. ----------

def best(x, key):
    """The greatest by key, -0 below +0; NaN if there is one."""
    if any(v != v for v in x):
        return NAN
    return max(x, key=lambda v: (key(v), key(math.copysign(1, v))))


def top(x):
    return best(x, lambda v: v)


def bottom(x):
    return best(x, lambda v: -v)


def first_index(x, wanted):
    for i, v in enumerate(x):
        if v == wanted or (v != v and wanted != wanted):
            return i
    raise AssertionError


def wrap(dtype, x):
    return base.signed(x, int(dtype[1:]))


def op_arg(pick):
    def run(dtype, x):
        if not x:
            return None
        i = first_index(x, pick(x))
        return dtype, x[i], 0, i
    return run


def op_minmax(dtype, x):
    return (dtype, bottom(x), top(x), 0) if x else None


def op_ptp(dtype, x):
    if not x:
        return None
    if dtype[0] == "i":
        return dtype, wrap(dtype, top(x) - bottom(x)), 0, 0
    return dtype, round_to(dtype, top(x) - bottom(x)), 0, 0


def floating(dtype):
    return dtype if dtype[0] == "f" else "f64"


def op_norm_inf(dtype, x):
    return floating(dtype), float(top([abs(v) for v in x])) if x else 0.0, 0, 0


def op_any(dtype, x):
    return "i64", int(any(v != 0 for v in x)), 0, 0


def op_all(dtype, x):
    return "i64", int(all(v != 0 for v in x)), 0, 0


def op_count_nonzero(dtype, x):
    return "i64", sum(v != 0 for v in x), 0, 0


OPS = {"argmax": op_arg(top), "argmin": op_arg(bottom), "minmax": op_minmax, "ptp": op_ptp,
       "norm_inf": op_norm_inf, "any": op_any, "all": op_all, "count_nonzero": op_count_nonzero}


# ---- The file ---------------------------------------------------------------------------------------

def bits(dtype, value):
    if value == 0 and not isinstance(value, float):
        return "0"
    if dtype[0] == "f" and value != value:
        return "7fc00000" if dtype == "f32" else "7ff8000000000000"
    return base.bits(dtype, value).lstrip("0") or "0"


def lines():
    for d, dtype in enumerate(["i32", "i64", "f32", "f64"]):
        for k, kind in enumerate(KINDS[dtype[0]]):
            for n in LENGTHS if kind in ("plain", "small") else SOME:
                seed = 100000 * (d + 1) + 1000 * (k + 1) + n
                x = data(dtype, kind, n, seed)
                for name, op in OPS.items():
                    result = op(dtype, x)
                    if result is None:
                        yield f"{name} {dtype} {kind} {n} {seed} empty 0 0 0"
                    else:
                        kept, value, second, index = result
                        yield (f"{name} {dtype} {kind} {n} {seed} {kept} {bits(kept, value)} "
                               f"{bits(kept, second)} {index}")


LENGTHS = [0, 1, 2, 33, 513, 4097, 8193, 24577]
SOME = [1, 2, 33, 1000, 8193, 16390]


def main():
    text = "".join(line + "\n" for line in lines())
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        with open(sys.argv[2], encoding="ascii") as file:
            if file.read() != text:
                sys.exit(f"{sys.argv[2]} is not what make_reductions.py gives")
        print(f"{text.count(chr(10))} lines agree")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
