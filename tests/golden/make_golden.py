#!/usr/bin/env python3
"""make_golden.py -- the bits that reductions must give, computed from the text of <sheaf/reduce.h>.

An oracle on its own: it shares no code with the kernels, and Python's floats are IEEE doubles that are
added one at a time. Standard library only.

    make_golden.py > reduce.txt        make_golden.py --check reduce.txt

A line is: op dtype length seed bits. The bits are those of the result (of a sum of integers: i64), as one
hexadecimal number. The data are drawn from splitmix64 that starts at seed, one 64-bit z for each element:

    iN   the upper N bits of z            f64  ((z >> 11) - 2^52) * 2^((z & 31) - 68)
    uN   the same, without a sign         f32  ((z >> 40) - 2^23) * 2^((z & 31) - 39)
    bool the top bit of z                 f16  ((z >> 53) - 2^10) * 2^((z & 15) - 14)
                                          bf16 ((z >> 56) - 2^7) * 2^((z & 31) - 23)

so that all floats are exact, of both signs, and spread over 16 or 32 exponents.
"""
import math
import struct
import sys

MASK = (1 << 64) - 1
LANES, SUB_BLOCK, LEAF = 32, 512, 8192
LENGTHS = [0, 1, 2, 3, 7, 8, 9, 31, 32, 33, 63, 65, 500, 511, 512, 513, 1000, 1024, 1025, 1536, 1537,
           3000, 4095, 8191, 8192, 8193, 12345, 16384, 16385, 24577, 40960, 65536, 100000]


def splitmix64(seed):
    state = seed
    while True:
        state = (state + 0x9E3779B97F4A7C15) & MASK
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        yield z ^ (z >> 31)


def signed(value, bits):
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def element(dtype, z):
    if dtype == "bool":
        return z >> 63
    if dtype[0] in "iu":
        width = int(dtype[1:])
        return signed(z >> (64 - width), width) if dtype[0] == "i" else z >> (64 - width)
    if dtype == "f16":
        return math.ldexp((z >> 53) - (1 << 10), (z & 15) - 14)
    if dtype == "bf16":
        return math.ldexp((z >> 56) - (1 << 7), (z & 31) - 23)
    if dtype == "f32":
        return math.ldexp((z >> 40) - (1 << 23), (z & 31) - 39)
    return math.ldexp((z >> 11) - (1 << 52), (z & 31) - 68)


def left_complete(parts, merge):
    """Merges a list up the tree whose left child holds the largest power of two that leaves something."""
    if len(parts) == 1:
        return parts[0]
    left = 1
    while left * 2 < len(parts):
        left *= 2
    return merge(left_complete(parts[:left], merge), left_complete(parts[left:], merge))


def add_lanes(a, b):
    return [x + y for x, y in zip(a, b)]


def sub_block_lanes(x):
    lanes = [-0.0] * LANES
    for i, value in enumerate(x):
        lanes[i % LANES] += value
    return lanes


def leaf_sum(x):
    blocks = [sub_block_lanes(x[i:i + SUB_BLOCK]) for i in range(0, len(x), SUB_BLOCK)]
    lanes = left_complete(blocks, add_lanes)
    while len(lanes) > 1:
        half = len(lanes) // 2
        lanes = add_lanes(lanes[:half], lanes[half:])
    return lanes[0]


def float_sum(x):
    if not x:
        return 0.0
    leaves = [leaf_sum(x[i:i + LEAF]) for i in range(0, len(x), LEAF)]
    return left_complete(leaves, lambda a, b: a + b)


def bits(dtype, value):
    if dtype == "f32":
        return struct.pack(">f", value).hex()
    if dtype == "f64":
        return struct.pack(">d", value).hex()
    if dtype == "f16":
        return struct.pack(">e", value).hex()
    if dtype == "bf16":  # exact: the upper half
        return struct.pack(">f", value).hex()[:4]
    width = 8 if dtype == "bool" else int(dtype[1:])
    return format(int(value) & ((1 << width) - 1), f"0{width // 4}x")


def lines():
    for d, dtype in enumerate(["i32", "i64", "f32", "f64"]):
        for n in LENGTHS:
            seed = 1000 * (d + 1) + n
            draw = splitmix64(seed)
            x = [element(dtype, next(draw)) for _ in range(n)]
            if dtype[0] == "f":
                total = bits(dtype, float_sum(x))
            else:
                total = bits("i64", signed(sum(x), 64))
            yield f"sum {dtype} {n} {seed} {total}"
            if n > 0:
                yield f"max {dtype} {n} {seed} {bits(dtype, max(x))}"
                yield f"min {dtype} {n} {seed} {bits(dtype, min(x))}"


def main():
    text = "".join(line + "\n" for line in lines())
    if len(sys.argv) == 3 and sys.argv[1] == "--check":
        with open(sys.argv[2], encoding="ascii") as file:
            if file.read() != text:
                sys.exit(f"{sys.argv[2]} is not what make_golden.py gives")
        print(f"{text.count(chr(10))} lines agree")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
