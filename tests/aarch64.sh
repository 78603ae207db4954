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
# The emulator is slow, and two fit beside each other.
emulated() {
    program=$1
    shift
    echo "test_$program"
    qemu-aarch64 -L /usr/aarch64-linux-gnu "$folder/tests/test_$program" "$@"
}
folder=$2
emulated kernels >"$folder.kernels.log" 2>&1 &
kernels=$!
failed=0
emulated golden && emulated reductions the_golden_results || failed=1
wait $kernels || failed=1
cat "$folder.kernels.log"
exit $failed
