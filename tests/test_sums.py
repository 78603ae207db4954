"""test_sums.py LIBRARY [SEED] -- sums of doubles against exact ones: a random search.

fsum must equal math.fsum (and the exact sum rounded once, where math.fsum gives up), and sum must stay within the bound
that <sheaf/reduce.h> proves, on inputs made to be hard: exponents all over their range, cancellation up to a sum of
zero, denormal numbers, numbers whose partial sums overflow, infinities, NaNs; with every instruction set.
"""
import ctypes
import math
import random
import struct
import sys
from fractions import Fraction

F32, F64 = 12, 13
SEQUENTIAL = 1
library = ctypes.CDLL(sys.argv[1])
seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
dice = random.Random(seed)


class Scalar(ctypes.Structure):
    _fields_ = [("dtype", ctypes.c_int), ("value", ctypes.c_double), ("second", ctypes.c_double),
                ("index", ctypes.c_int64)]


class Options(ctypes.Structure):  # the first fields; the others are zeroes
    _fields_ = [("executor", ctypes.c_void_p), ("isa", ctypes.c_char_p), ("others", ctypes.c_char * 240)]


library.sheaf_isa_name.restype = ctypes.c_char_p
library.sheaf_last_error.restype = ctypes.c_char_p
library.sheaf_op_by_name.argtypes = [ctypes.c_char_p]
library.sheaf_wrap.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t, ctypes.c_void_p]
library.sheaf_reduce.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
library.sheaf_detach.argtypes = [ctypes.c_void_p]
library.sheaf_detach.restype = None
SUM, FSUM = library.sheaf_op_by_name(b"sum"), library.sheaf_op_by_name(b"fsum")
ISAS = []
while library.sheaf_isa_name(ctypes.c_size_t(len(ISAS))):
    ISAS.append(library.sheaf_isa_name(ctypes.c_size_t(len(ISAS))))


def must(status):
    assert status == 0, library.sheaf_last_error()


def results(values, op, dtype=F64):
    """The reduction of values by every instruction set."""
    data = ((ctypes.c_float if dtype == F32 else ctypes.c_double) * max(len(values), 1))(*values)
    array = ctypes.c_void_p()
    shape = (ctypes.c_size_t * 1)(len(values))
    must(library.sheaf_wrap(ctypes.byref(array), data, dtype, 1, shape))
    found = []
    for isa in ISAS:
        scalar = Scalar()
        must(library.sheaf_reduce(ctypes.byref(scalar), array, op, ctypes.byref(Options(isa=isa))))
        assert scalar.dtype == dtype
        raw = struct.pack("<d", scalar.value)
        found.append(struct.unpack("<f", raw[:4])[0] if dtype == F32 else scalar.value)
    library.sheaf_detach(array)
    return found


# ---- Inputs ----

def any_double(low=0, high=2046):
    return struct.unpack("<d", struct.pack("<Q", dice.getrandbits(1) << 63 | dice.randint(low, high) << 52 |
                                           dice.getrandbits(52)))[0]


def spread(n):
    low = dice.randint(0, 2046)
    high = min(2046 - 24, low + dice.choice([0, 1, 8, 30, 31, 32, 33, 60, 200, 2046]))
    return [any_double(min(low, high), high) for _ in range(n)]


def cancelling(n):
    """Each number and its negative; with luck a small one is left over."""
    half = spread(n // 2)
    values = half + [-x for x in half] + [any_double(0, 1100) for _ in range(n - 2 * (n // 2))]
    dice.shuffle(values)
    return values


def telescoping(n):
    """What is left of each rounded partial sum is taken away again: the condition number is huge."""
    values, total = [], Fraction(0)
    for i in range(n):
        x = dice.uniform(-1, 1) * 2.0 ** dice.randint(-300, 300) if i < n // 2 else -float(total)
        values.append(x)
        total += Fraction(x)
    return values


def tiny(n):
    return [any_double(0, dice.choice([0, 1, 40])) if dice.random() < 0.7 else dice.choice([0.0, -0.0]) for _ in range(n)]


def huge(n):
    return [any_double(2046 - dice.choice([0, 1, 40]), 2046) for _ in range(n)]


def few(n):
    """Many zeros, a few numbers of any size."""
    return [any_double() if dice.random() < 0.02 else dice.choice([0.0, -0.0, 1.0]) for _ in range(n)]


def uniform(n):
    return [dice.random() for _ in range(n)]


def surprised(n):
    """Alike, and then one that is not."""
    values = [dice.gauss(0, 1) for _ in range(n)]
    if n:
        values[dice.randrange(n)] = any_double()
    return values


def specials(n):
    values = dice.choice([spread, uniform, huge])(n)
    kinds = [[math.inf], [-math.inf], [math.nan], [math.inf, -math.inf], [math.inf, math.nan]]
    for special in dice.choice(kinds):
        if n:
            values[dice.randrange(n)] = special
    return values


# ---- Oracles ----

def rounded(exact):
    """A rational number as a double, to nearest, ties to even."""
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def exact_sum(values):
    if all(map(math.isfinite, values)):
        return rounded(sum(map(Fraction, values)))
    if any(map(math.isnan, values)) or {math.inf, -math.inf} <= set(values):
        return math.nan
    return math.inf if math.inf in values else -math.inf


def same(a, b):
    return struct.pack("<d", a) == struct.pack("<d", b) or (a == b == 0) or (math.isnan(a) and math.isnan(b))


def bound(values):
    n = len(values)
    leaves = max(1, -(-n // 8192))
    blocks = max(1, -(-min(n, 8192) // 512))
    h = min(max(1, -(-n // 32)), 16) - 1 + (blocks - 1).bit_length() + 5 + (leaves - 1).bit_length()
    u = Fraction(1, 2 ** 53)
    return h * u / (1 - h * u) * sum(abs(Fraction(x)) for x in values)


# ---- Checks ----

def check_fsum(values):
    expected = exact_sum(values)
    try:
        assert same(math.fsum(values), expected)
    except (OverflowError, ValueError):
        pass  # its partial sums overflow, or inf - inf
    for got in results(values, FSUM):
        assert same(got, expected), (got, expected, len(values))


def check_narrow_fsum(values):
    values = [struct.unpack("<f", struct.pack("<f", x))[0] for x in values]
    exact = sum(map(Fraction, values))
    for got in results(values, FSUM, F32):
        # No f32 is nearer; where two are as near, the even one.
        bits = struct.unpack("<i", struct.pack("<f", got))[0]
        for other in (bits - 1, bits + 1) if got != 0 else (1, -2 ** 31 + 1):
            near = Fraction(struct.unpack("<f", struct.pack("<i", other))[0])
            assert abs(Fraction(got) - exact) <= abs(near - exact), (got, float(exact))


def check_sum(values):
    exact, most, found = sum(map(Fraction, values)), bound(values), results(values, SUM)
    for got in found:
        assert abs(Fraction(got) - exact) <= most, (got, rounded(exact), float(most), len(values))
        assert struct.pack("<d", got) == struct.pack("<d", found[0])


def length():
    return dice.choice([0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 100, 511, 512, 513, 2047, 2048, 2049, 8191, 8192, 8193,
                        dice.randint(0, 300), dice.randint(0, 20000)])


def main():
    fsum_inputs = [spread, cancelling, telescoping, tiny, huge, few, uniform, surprised, specials]
    for turn in range(300):
        check_fsum(fsum_inputs[turn % len(fsum_inputs)](length()))
    for turn in range(60):
        check_narrow_fsum([dice.uniform(-1, 1) * 2.0 ** dice.randint(-dice.choice([1, 120]), 100) for _ in range(length())])
    sum_inputs = [spread, cancelling, telescoping, tiny, uniform, surprised]
    for turn in range(200):
        values = sum_inputs[turn % len(sum_inputs)](length())
        check_sum([x / 2.0 ** 40 for x in values])  # so that nothing overflows
    print(f"{len(ISAS)} instruction sets, seed {seed}: 300 fsums, 60 of f32, 200 sums")


main()
