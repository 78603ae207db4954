#!/bin/sh
# disassembly.sh OBJDUMP SCALAR.o AVX2.o AVX512.o -- what the compiler made of kernels/isa.c.
#
# The scalar table is the reference for bits and the baseline for SIMD: no packed arithmetic in it. The
# other two use their registers, or this test would pass on anything. No table has a fused multiply-add but
# where it is written out: in the SVD, and in sums whose product is exact, of f16 and bf16, and of f32 and i32, which
# are multiplied by 1.
objdump=$1
if [ ! -x "$objdump" ]; then
    echo "skipped: no objdump (package binutils)"
    exit 77
fi
failures=0

# instructions OBJECT: "mnemonic operands" of each, one per line.
instructions() {
    "$objdump" -d --no-show-raw-insn "$1" | sed -n 's/^ *[0-9a-f]*:[[:space:]]*//p' | tr '\t' ' '
}

# but_fused OBJECT: the same without the functions that may have them.
but_fused() {
    "$objdump" -d --no-show-raw-insn "$1" |
        sed -n -e '/^[0-9a-f]* <\(svd\|tall\|gram\|times\|bidiagonal\)_/,/^$/d' \
            -e '/^[0-9a-f]* <\(\(nan\)\?values\|magnitudes\)_b\?f16_/,/^$/d' \
            -e '/^[0-9a-f]* <\(\(nan\)\?\(values\|deviations\)\|magnitudes\|squares\|products_of_two\)_[fi]32_/,/^$/d' \
            -e '/^[0-9a-f]* <exact_kernel_f16/,/^$/d' -e 's/^ *[0-9a-f]*:[[:space:]]*//p' | tr '\t' ' '
}

# expect yes|no WHAT OBJECT PATTERN
expect() {
    found=$(instructions "$3" | grep -E "$4" | head -n 3)
    if [ "$1" = yes ] && [ -z "$found" ]; then
        echo "$3: no $2"
        failures=$((failures + 1))
    elif [ "$1" = no ] && [ -n "$found" ]; then
        printf '%s: %s:\n%s\n' "$3" "$2" "$found"
        failures=$((failures + 1))
    fi
}

packed_float='^v?(add|sub|addsub|hadd|hsub|mul|div|min|max|sqrt|rcp|rsqrt|range|cmp[a-z_]*)p[sd] '
packed_int='^v?p(add|sub|hadd|mul|madd|min|max|cmp|abs|avg|sad|sll|srl|sra|ternlog)[a-z]* '
packed_convert='^v?cvtt?(ps|pd|dq|qq)2'
fused='^vfn?m(add|sub)'

expect yes "scalar additions" "$2" '^addsd '
expect no "packed arithmetic" "$2" "$packed_float|$packed_int|$packed_convert"
expect no "a wide register" "$2" '%[yz]mm'
expect yes "packed additions of 32 bytes" "$3" '^vaddpd .*%ymm'
expect yes "packed maxima of 32 bytes" "$3" '^vmaxpd .*%ymm'
expect no "a register of AVX-512" "$3" '%zmm|%k[0-7]'
expect yes "packed additions of 64 bytes" "$4" '^vaddpd .*%zmm'
expect yes "packed maxima of 64 bytes" "$4" '^vmaxpd .*%zmm'
for object in "$2" "$3" "$4"; do
    if but_fused "$object" | grep -qE "$fused"; then
        echo "$object: a fused multiply-add where none is written out"
        failures=$((failures + 1))
    fi
done
expect no "a fused multiply-add" "$2" "$fused"
expect yes "fused multiply-adds of 32 bytes" "$3" "$fused.*%ymm"
expect yes "fused multiply-adds of 64 bytes" "$4" "$fused.*%zmm"
[ $failures = 0 ] && echo "scalar, avx2 and avx512 are what their names say"
exit $((failures > 0))
