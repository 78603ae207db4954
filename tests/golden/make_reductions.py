#!/usr/bin/env python3
"""make_reductions.py -- what every reduction must give, computed from the text of <sheaf/reduce.h>.

An oracle on its own, as make_golden.py beside it, which holds the order of a sum. Standard library only.

    make_reductions.py > reductions.txt        make_reductions.py --check reductions.txt

A line is: op dtype kind length seed value second index. value and second are the bits of an i64, or of a
float of the result's dtype, as hexadecimal numbers with the dtype before them. The data are drawn from
splitmix64, one z for each element, and changed as the kind says:

    plain     as make_golden.py has it
    small     z % 7 - 3 (u: z % 7): ties, and zeros
    nans      plain; a NaN where z % 61 is 0
    infs      plain; an infinity of the sign of z's top bit where z % 257 is 5 (integers: the limits)
    zeros     a zero of the sign of z's top bit
    wide      z's own bits, with an exponent that is not all ones
    tiny      z % 5 - 2 times the least number
    huge      plain, scaled so that squares and sums overflow
    allnan    NaN

The second array of dot is of the same kind, with 500 added to the seed. Where the text gives an algorithm
and not a value (var, norm2, ..), the algorithm is followed here, and its result is compared with the
exact one, in rational numbers.
"""
import fractions
import math
import struct
import sys

import make_golden as base

KINDS = {"f": ["plain", "small", "nans", "infs", "zeros", "wide", "tiny", "huge", "allnan"],
         "i": ["plain", "small", "infs", "zeros"], "u": ["plain", "small", "infs", "zeros"],
         "b": ["plain", "zeros"]}
DTYPES = ["i32", "i64", "f32", "f64", "bool", "i8", "i16", "u8", "u16", "u32", "u64", "f16", "bf16"]
NAN = float("nan")


# bits of the fraction, exponent of the least normal number, what "huge" is scaled by, struct's letters
FLOATS = {"f16": (10, -14, 4, "eH"), "bf16": (7, -126, 112, None), "f32": (23, -126, 112, "fI"),
          "f64": (52, -1022, 1005, "dQ")}


def is_float(dtype):
    return dtype in FLOATS


def is_signed(dtype):
    return dtype[0] == "i"


def width_of(dtype):
    return 8 if dtype == "bool" else int(dtype.lstrip("biuf"))


def limits(dtype):
    width = width_of(dtype)
    if dtype == "bool":
        return 0, 1
    return (-(1 << (width - 1)), (1 << (width - 1)) - 1) if is_signed(dtype) else (0, (1 << width) - 1)


def round_rational(dtype, exact):
    """A rational number to a float, ties to even, in whole numbers of its last bit."""
    fraction, least, _, _ = FLOATS[dtype]
    if exact == 0:
        return 0.0
    size = abs(exact)
    exponent = size.numerator.bit_length() - size.denominator.bit_length()
    exponent = exponent if size >= fractions.Fraction(2) ** exponent else exponent - 1
    unit = fractions.Fraction(2) ** (max(exponent, least) - fraction)
    whole = round(size / unit)  # of fractions, Python rounds ties to even
    if whole * unit >= fractions.Fraction(2) ** (1 - least + 1):
        return math.copysign(math.inf, exact)
    return math.copysign(float(whole * unit), exact)


def round_to(dtype, x):
    if dtype == "f64" or not math.isfinite(x) or x == 0:
        return x
    rounded = round_rational(dtype, fractions.Fraction(x))
    return math.copysign(rounded, x)


def wide(dtype, z):
    fraction, least, _, letters = FLOATS[dtype]
    width = width_of(dtype)
    z >>= 64 - width
    ones = (1 << (width - 1 - fraction)) - 1
    if z >> fraction & ones == ones:
        z ^= 1 << (width - 2)
    if dtype == "bf16":
        return struct.unpack("<f", struct.pack("<I", z << 16))[0]
    return struct.unpack("<" + letters[0], struct.pack("<" + letters[1], z))[0]


def element(dtype, kind, z):
    sign = -1 if z >> 63 else 1
    if not is_float(dtype):
        if kind == "small":
            return z % 7 - (3 if is_signed(dtype) else 0)
        if kind == "zeros":
            return 0
        if kind == "infs" and z % 257 == 5:
            return limits(dtype)[0 if sign < 0 else 1]
        return base.element(dtype, z)
    fraction, least, huge, _ = FLOATS[dtype]
    if kind == "small":
        return float(z % 7) - 3.0
    if kind == "zeros":
        return sign * 0.0
    if kind == "wide":
        return wide(dtype, z)
    if kind == "tiny":
        return (float(z % 5) - 2.0) * 2.0 ** (least - fraction)
    if kind == "allnan" or (kind == "nans" and z % 61 == 0):
        return NAN
    if kind == "infs" and z % 257 == 5:
        return sign * math.inf
    x = base.element(dtype, z)
    return x * 2.0 ** huge if kind == "huge" else x


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
    x &= (1 << width_of(dtype)) - 1
    return base.signed(x, width_of(dtype)) if is_signed(dtype) else x


def summed(dtype):
    """The dtype of a sum."""
    return dtype if is_float(dtype) else "u64" if dtype[0] == "u" else "i64"


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
    if dtype == "bool":
        return None
    if not x:
        return None
    if not is_float(dtype):
        return dtype, wrap(dtype, top(x) - bottom(x)), 0, 0
    return dtype, round_to(dtype, top(x) - bottom(x)), 0, 0


def floating(dtype):
    return dtype if is_float(dtype) else "f64"


def op_norm_inf(dtype, x):
    return floating(dtype), float(top([abs(v) for v in x])) if x else 0.0, 0, 0


def op_any(dtype, x):
    return "bool", int(any(v != 0 for v in x)), 0, 0


def op_all(dtype, x):
    return "bool", int(all(v != 0 for v in x)), 0, 0


def op_count_nonzero(dtype, x):
    return "i64", sum(v != 0 for v in x), 0, 0


def fold(terms, combine, neutral):
    """One number of a leaf's terms, in the order of a sum."""
    blocks = []
    for begin in range(0, len(terms), base.SUB_BLOCK):
        lanes = [neutral] * base.LANES
        for i, term in enumerate(terms[begin:begin + base.SUB_BLOCK]):
            lanes[i % base.LANES] = combine(lanes[i % base.LANES], term)
        blocks.append(lanes)
    lanes = base.left_complete(blocks, lambda a, b: [combine(p, q) for p, q in zip(a, b)])
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = [combine(p, q) for p, q in zip(lanes[:half], lanes[half:])]
    return lanes[0]


def add(a, b):
    return a + b


def multiply(a, b):
    return a * b


def leaves(x):
    return [x[i:i + base.LEAF] for i in range(0, len(x), base.LEAF)]


def float_sum(terms):
    if not terms:
        return 0.0
    return base.left_complete([fold(leaf, add, -0.0) for leaf in leaves(terms)], add)


def integer(x):
    """x * 2^1074, a whole number: sums of those are quicker than of fractions."""
    numerator, denominator = x.as_integer_ratio()
    return numerator * ((1 << 1074) // denominator)


def numbers(x):
    return [v for v in x if v == v]


def op_sum(dtype, x):
    if not is_float(dtype):
        return summed(dtype), wrap(summed(dtype), sum(x)), 0, 0
    return dtype, round_to(dtype, float_sum(x)), 0, 0


def op_nansum(dtype, x):
    return op_sum(dtype, [v if v == v else 0.0 for v in x] if is_float(dtype) else x)


def op_prod(dtype, x):
    if not is_float(dtype):
        product = 1
        for v in x:
            product = product * v & base.MASK
        return summed(dtype), wrap(summed(dtype), product), 0, 0
    if not x:
        return dtype, 1.0, 0, 0
    product = base.left_complete([fold(leaf, multiply, 1.0) for leaf in leaves(x)], multiply)
    return dtype, round_to(dtype, product), 0, 0


def op_dot(dtype, x, y):
    return op_sum(dtype, [a * b for a, b in zip(x, y)])


def op_norm1(dtype, x):
    return floating(dtype), round_to(floating(dtype), float_sum([abs(float(v)) for v in x])), 0, 0


def norm2_leaf(dtype, leaf):
    def squares(scale):
        return fold([float(v) * scale * (float(v) * scale) for v in leaf], add, -0.0)
    total = squares(1.0)
    if dtype == "f64" and total > 2.0 ** 900:
        return squares(2.0 ** -600), 600
    if dtype == "f64" and total < 2.0 ** -900:
        return squares(2.0 ** 600), -600
    return total, 0


def norm2_merge(a, b):
    exponent = max(a[1], b[1])
    parts = []
    for value, own in (a, b):
        while own < exponent:
            value = value * 2.0 ** -600 * 2.0 ** -600
            own += 600
        parts.append(value)
    return parts[0] + parts[1], exponent


def op_norm2(dtype, x):
    if not x:
        return floating(dtype), 0.0, 0, 0
    value, exponent = base.left_complete([norm2_leaf(dtype, leaf) for leaf in leaves(x)],
                                         norm2_merge)
    norm = math.sqrt(value) * 2.0 ** exponent
    if all(math.isfinite(v) for v in x) and norm > 2.0 ** -1000:
        exact = fractions.Fraction(sum(integer(v) ** 2 for v in x), 1 << 2148)
        if math.isfinite(norm):
            assert abs(fractions.Fraction(norm) ** 2 - exact) <= exact / 10 ** 12, (norm, dtype)
        else:
            assert exact > fractions.Fraction(sys.float_info.max) ** 2
    return floating(dtype), round_to(floating(dtype), norm), 0, 0


def mean_of(dtype, x):
    if not x:
        return NAN
    if not is_float(dtype):
        return sum(x) / len(x)  # of integers, Python rounds it once
    return float_sum(x) / len(x)


def op_mean(dtype, x):
    return floating(dtype), round_to(floating(dtype), mean_of(dtype, x)), 0, 0


def op_nanmean(dtype, x):
    count = len(numbers(x))
    if not is_float(dtype):
        return op_mean(dtype, x)
    total = float_sum([v if v == v else 0.0 for v in x])
    return dtype, round_to(dtype, total / count if count else NAN), 0, 0


def moments_leaf(leaf):
    kept = numbers(leaf)
    total = fold([v if v == v else 0.0 for v in leaf], add, -0.0)
    if not kept:
        return total, 0.0, 0
    mean = total / len(kept)
    return total, fold([(v - mean) * (v - mean) if v == v else 0.0 for v in leaf], add, -0.0), len(kept)


def moments_merge(a, b):
    squares = a[1] + b[1]
    count = a[2] + b[2]
    if a[2] and b[2]:
        d = b[0] / b[2] - a[0] / a[2]
        squares += d * d * (a[2] * (b[2] / count))
    return a[0] + b[0], squares, count


def variance(x):
    """Of the numbers in x; with a NaN for var to see, it is not called."""
    x = [float(v) for v in x]
    kept = numbers(x)
    if not kept:
        return NAN
    _, squares, count = base.left_complete([moments_leaf(leaf) for leaf in leaves(x)], moments_merge)
    result = squares / count
    if all(math.isfinite(v) and abs(v) < 1e150 for v in kept):
        whole = [integer(v) for v in kept]
        square_of_sum = sum(whole) ** 2
        exact = fractions.Fraction(sum(v * v for v in whole) * count - square_of_sum,
                                   count * count << 2148)
        assert result < 1e-290 or abs(fractions.Fraction(result) - exact) <= exact / 10 ** 12
    return result


def op_var(skips, root):
    def run(dtype, x):
        value = variance(x) if skips or len(numbers(x)) == len(x) else NAN
        value = value if value != value or not root else math.sqrt(value)
        return floating(dtype), round_to(floating(dtype), value), 0, 0
    return run


def op_nanextreme(pick):
    def run(dtype, x):
        if not x:
            return None
        return dtype, pick(numbers(x)) if numbers(x) else NAN, 0, 0
    return run


def op_nanarg(pick):
    def run(dtype, x):
        if not x:
            return None
        if not numbers(x):
            return dtype, NAN, 0, -1
        i = first_index(x, pick(numbers(x)))
        return dtype, x[i], 0, i
    return run


def op_fsum(dtype, x):
    x = [float(v) for v in x]
    if not all(math.isfinite(v) for v in x):
        special = NAN if len(numbers(x)) < len(x) else sum(v for v in x if math.isinf(v))
        return floating(dtype), special, 0, 0
    exact = fractions.Fraction(sum(integer(v) for v in x), 1 << 1074)
    if is_float(dtype) and dtype != "f64":
        return dtype, round_rational(dtype, exact), 0, 0
    try:
        value = math.fsum(x)
        assert value == float(exact)
    except OverflowError:  # on the way, or in the end
        try:
            value = float(exact)
        except OverflowError:
            value = math.inf if exact > 0 else -math.inf
    return floating(dtype), value + 0.0, 0, 0


OPS = {"argmax": op_arg(top), "argmin": op_arg(bottom), "minmax": op_minmax, "ptp": op_ptp,
       "norm_inf": op_norm_inf, "any": op_any, "all": op_all, "count_nonzero": op_count_nonzero,
       "sum": op_sum, "fsum": op_fsum, "mean": op_mean, "prod": op_prod, "var": op_var(False, False),
       "std": op_var(False, True), "norm1": op_norm1, "norm2": op_norm2,
       "nanmax": op_nanextreme(top), "nanmin": op_nanextreme(bottom), "nansum": op_nansum,
       "nanmean": op_nanmean, "nanvar": op_var(True, False), "nanstd": op_var(True, True),
       "nanargmax": op_nanarg(top), "nanargmin": op_nanarg(bottom)}


# ---- The file ---------------------------------------------------------------------------------------

def bits(dtype, value):
    if value == 0 and not isinstance(value, float):
        return "0"
    if is_float(dtype) and value != value:
        return {"f16": "7e00", "bf16": "7fc0", "f32": "7fc00000", "f64": "7ff8000000000000"}[dtype]
    return base.bits(dtype, value).lstrip("0") or "0"


def lines():
    for d, dtype in enumerate(DTYPES):
        for k, kind in enumerate(KINDS["f" if is_float(dtype) else dtype[0]]):
            first, others = (LENGTHS, SOME) if d < 4 else (FEW, FEWER)
            for n in first if kind in ("plain", "small") else others:
                seed = 100000 * (d + 1) + 1000 * (k + 1) + n
                x = data(dtype, kind, n, seed)
                for name, op in OPS.items():
                    result = op(dtype, x)
                    if name == "sum":
                        kept, value, *_ = op_dot(dtype, x, data(dtype, kind, n, seed + 500))
                        yield f"dot {dtype} {kind} {n} {seed} {kept} {bits(kept, value)} 0 0"
                    if result is None and name == "ptp" and dtype == "bool":
                        yield f"{name} {dtype} {kind} {n} {seed} refused 0 0 0"
                    elif result is None:
                        yield f"{name} {dtype} {kind} {n} {seed} empty 0 0 0"
                    else:
                        kept, value, second, index = result
                        yield (f"{name} {dtype} {kind} {n} {seed} {kept} {bits(kept, value)} "
                               f"{bits(kept, second)} {index}")


LENGTHS = [0, 1, 33, 513, 4097, 8193, 24577]
SOME = [1, 2, 1000, 16390]
FEW = [0, 1, 33, 513, 8193]
FEWER = [2, 700]


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
