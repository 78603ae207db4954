#!/bin/sh
# aarch64.sh -- builds the library for AArch64 and runs it under qemu-user: the scalar and the NEON table, on
# every executor, against the golden bits. Exits 77 without a cross-compiler.
#
#     aarch64.sh SOURCE FOLDER      the build goes into FOLDER, and stays
set -eu
for program in aarch64-linux-gnu-gcc qemu-aarch64 ninja; do
    command -v "$program" >/dev/null || { echo "skipped: there is no $program"; exit 77; }
done
cd "$1"
unset SHEAF_WORKER SHEAF_ISA
cmake --preset aarch64 -B "$2" >"$2.log" 2>&1 || { cat "$2.log"; exit 1; }
cmake --build "$2" -j 2 --target test_kernels test_reductions test_golden sheaf_worker \
    >"$2.log" 2>&1 || { tail -40 "$2.log"; exit 1; }
export SHEAF_WORKER="$2/emulated-worker"
for test in kernels golden "reductions the_golden_results"; do
    echo "test_$test"
    qemu-aarch64 -L /usr/aarch64-linux-gnu "$2/tests/test_"$test
done
