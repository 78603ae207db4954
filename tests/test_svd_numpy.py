"""test_svd_numpy.py SHEAF -- the SVD against NumPy, on random matrices and on measured data.

SHEAF is the command. The measured data are how long each of many small reads of a clock took: real numbers, noisy,
quantised, of a rank that nobody chose. NumPy reads the results where they lie, in /dev/shm."""

import os
import pathlib
import subprocess
import sys
import tempfile
import time

try:
    import numpy as np
except ImportError:
    print("skipped: no NumPy (package python3-numpy)")
    sys.exit(77)

SHEAF = sys.argv[1]
KEY = f"sheaf-test-{os.getpid()}-svd"
SHM = pathlib.Path("/dev/shm")
LIMIT = 30  # LAPACK's test suite has 50


def sheaf(*arguments):
    return subprocess.run([SHEAF, *arguments], check=True, capture_output=True, text=True, timeout=300).stdout


WITHOUT_LAPACK = "built with SHEAF_OPENBLAS=OFF"


def stored(key, dtype, shape):
    return np.array(np.memmap(SHM / key, dtype=dtype, mode="r", shape=shape)) if np.prod(shape) else np.zeros(shape)


def check(a, mode):
    """Values within the bound of NumPy's; vectors by residual and orthogonality; the squares' sum by the norm."""
    m, n = a.shape[-2:]
    k = min(m, n)
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/a.npy", a)
        sheaf("load", f"{folder}/a.npy", KEY)
    try:
        if min(m, n) > 64 and WITHOUT_LAPACK in subprocess.run([SHEAF, "svd", KEY], capture_output=True, text=True,
                                                               timeout=60).stderr:
            return print(f"{a.shape}: {WITHOUT_LAPACK}")
        sheaf("svd", KEY, f"--{mode}", "--s", KEY + "s", "--u", KEY + "u", "--vt", KEY + "vt")
        batch = a.shape[:-2]
        full = mode == "full"
        s = stored(KEY + "s", a.dtype, (*batch, k)).astype(float)
        u = stored(KEY + "u", a.dtype, (*batch, m, m if full else k)).astype(float)
        vt = stored(KEY + "vt", a.dtype, (*batch, n if full else k, n)).astype(float)
    finally:
        for key in (KEY, KEY + "s", KEY + "u", KEY + "vt"):
            subprocess.run([SHEAF, "remove", key], capture_output=True, timeout=60)
    x = a.astype(float)
    ulp = float(np.finfo(a.dtype).eps)
    largest = s[..., :1]
    expected = np.linalg.svd(x, compute_uv=False)
    assert np.all(np.abs(s - expected) <= LIMIT * k * ulp * largest), "values"
    residual = np.abs(x - (u[..., :, :k] * s[..., None, :]) @ vt[..., :k, :]).max(axis=(-1, -2))
    assert np.all(residual <= LIMIT * max(m, n) * ulp * largest[..., 0]), "residual"
    for q in (u, np.swapaxes(vt, -1, -2)):
        unit = np.swapaxes(q, -1, -2) @ q - np.eye(q.shape[-1])
        assert np.all(np.abs(unit).max(axis=(-1, -2)) <= LIMIT * q.shape[-2] * ulp), "orthogonality"
    squares = np.sum(s * s, axis=-1)
    norm = np.sum(x * x, axis=(-1, -2))
    assert np.all(np.abs(squares - norm) <= 2 * LIMIT * max(m, n) * ulp * norm), "Frobenius norm"
    signs = np.take_along_axis(vt, np.abs(vt).argmax(axis=-1)[..., None], axis=-1)
    assert np.all(signs > 0), "signs"
    print(f"{a.dtype} {a.shape} {mode}")


def measured(count, m, n):
    """Nanoseconds between neighbouring readings of the clock."""
    times = np.array([time.perf_counter_ns() for _ in range(count * m * n + 1)], dtype=float)
    return np.diff(times).reshape(count, m, n)


def main():
    random = np.random.default_rng(1)
    for dtype in (np.float64, np.float32):
        for shape in ((5, 1000, 10), (300, 10, 10), (40, 32, 32), (9, 12, 200), (3, 80, 70), (2, 3, 17, 5)):
            check(random.standard_normal(shape).astype(dtype), "reduced")
        check(random.standard_normal((4, 30, 9)).astype(dtype), "full")
        check(random.standard_normal((4, 9, 30)).astype(dtype), "full")
        for shape in ((20, 100, 12), (50, 24, 24)):
            check(measured(*shape).astype(dtype), "reduced")


main()
