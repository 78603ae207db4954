#!/usr/bin/env python3
"""peers.py -- what one would use in Python instead, as a player (bench/bench_main.cpp has the lines).

NumPy, concurrent.futures' two executors, joblib and Dask; b3sum and hashlib. The environment says what to do and
on which array (engine/cli/peers.h). A package that is missing makes its rows say so.
"""
import concurrent.futures
import functools
import glob
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

KERNEL = os.environ.get("SHEAF_PEER_KERNEL", "executors")
KEY = os.environ.get("SHEAF_PEER_KEY", "")
SHAPE = [int(n) for n in os.environ.get("SHEAF_PEER_SHAPE", "1").split("x")]
DTYPE = os.environ.get("SHEAF_PEER_DTYPE", "f64")
WORKERS = int(os.environ.get("SHEAF_PEER_WORKERS", "2"))
LEAST_SECONDS = 0.003  # a shorter run is repeated
SCRATCH = []  # folders to remove at the end
FSUM_MOST = 1_000_000  # math.fsum takes 10 ns and more an element

try:
    import numpy
    CODES = {"f64": "f8", "f32": "f4", "f16": "f2"}
    CODE = "<" + CODES.get(DTYPE, DTYPE)
except ImportError:
    numpy = None


class Missing(Exception):
    pass


def need(name, package):
    try:
        return __import__(name, fromlist=["x"])
    except ImportError as error:
        raise Missing(f"not installed (package {package})") from error


@functools.lru_cache(None)
def array():
    """The shared array, in place."""
    need("numpy", "python3-numpy")
    return numpy.memmap("/dev/shm/" + KEY, dtype=CODE, mode="r", shape=tuple(SHAPE)).view(numpy.ndarray)


# ---- what the workers of other processes do -------------------------------------------------------
def part(index, count):
    n = SHAPE[0]
    return slice(n * index // count, n * (index + 1) // count)


def reduce_chunk(chunk):
    return OPS[KERNEL](chunk)


def reduce_part(index):
    return OPS[KERNEL](array()[part(index, WORKERS)])


def svd_part(index):
    return numpy.linalg.svd(array()[part(index, WORKERS)], compute_uv=False)


def scrypt_one(index):
    import hashlib
    _, n, r, p = SHAPE
    return hashlib.scrypt(b"password %d" % index, salt=b"NaCl", n=n, r=r, p=p, dklen=64, maxmem=2 ** 31 - 1)


def empty():
    return None


def norm(order):
    return lambda a: numpy.linalg.norm(a.ravel(), order)


OPS = {} if numpy is None else {
    **{name: getattr(numpy, name) for name in
       ("max", "min", "sum", "argmax", "argmin", "mean", "std", "var", "prod", "any", "all", "ptp",
        "count_nonzero", "nanmax", "nanmin", "nansum", "nanmean", "nanvar", "nanstd", "nanargmax", "nanargmin")},
    "minmax": lambda a: (a.min(), a.max()), "norm1": norm(1), "norm2": norm(2), "norm_inf": norm(numpy.inf),
    "fsum": math.fsum}


# ---- pools that stay open from round to round -------------------------------------------------------
@functools.lru_cache(None)
def threads():
    return concurrent.futures.ThreadPoolExecutor(WORKERS)


@functools.lru_cache(None)
def processes():
    return concurrent.futures.ProcessPoolExecutor(WORKERS)


@functools.lru_cache(None)
def dask_client():
    distributed = need("distributed", "python3-distributed")
    import logging
    logging.getLogger("distributed").setLevel(logging.ERROR)
    SCRATCH.append(tempfile.mkdtemp(prefix="sheaf-peers-"))
    cluster = distributed.LocalCluster(n_workers=WORKERS, threads_per_worker=1, processes=True,
                                       dashboard_address=None, local_directory=SCRATCH[0])
    return distributed.Client(cluster)


def over(executor, function, arguments):
    """A row's work: all parts on the executor."""
    return lambda: list(executor().map(function, arguments))


def chunks():
    return [array()[part(i, 64)] for i in range(64) if part(i, 64).start < part(i, 64).stop]


def with_joblib(function, arguments):
    def work():
        joblib = need("joblib", "python3-joblib")
        return joblib.Parallel(n_jobs=WORKERS)(joblib.delayed(function)(x) for x in arguments())
    return work


def with_dask_array():
    dask_array = need("dask.array", "python3-dask")
    whole = dask_array.from_array(array(), chunks=max(1, SHAPE[0] // (4 * WORKERS)), name=False)
    return getattr(whole, KERNEL)().compute(scheduler="threads", num_workers=WORKERS)


def b3sum(path, workers):
    try:
        subprocess.run(["b3sum", "--num-threads", str(workers), path], stdout=subprocess.DEVNULL, check=True)
    except OSError as error:
        raise Missing("not installed (package b3sum)") from error


def b3sum_alone(workers):
    """Of the array, less what the program takes for an empty file: its hashing alone."""
    def work():
        times = []
        for path in ("/dev/null", "/dev/shm/" + KEY):
            begin = time.perf_counter()
            b3sum(path, workers)
            times.append(time.perf_counter() - begin)
        if times[0] > times[1] / 2:
            raise Missing("the array is too small to tell hashing from the program's start")
        return times[1] - times[0]
    return work


# ---- rows: name, work, and whether work() returns its own seconds ----------------------------------
def reduce_rows():
    if KERNEL not in OPS and numpy is not None:
        return
    if KERNEL == "fsum" and SHAPE[0] > FSUM_MOST:
        return
    yield f"{'Python, math.' if KERNEL == 'fsum' else 'numpy, '}{KERNEL}/1", lambda: OPS[KERNEL](array())
    if KERNEL not in ("max", "sum") or DTYPE != "f64":
        return
    indices = range(WORKERS)
    yield f"ThreadPoolExecutor, np.{KERNEL}/{WORKERS}", over(threads, reduce_part, indices)
    yield f"ProcessPoolExecutor, chunks copied/{WORKERS}", lambda: over(processes, reduce_chunk, chunks())()
    yield f"ProcessPoolExecutor, by key/{WORKERS}", over(processes, reduce_part, indices)
    yield f"joblib, chunks/{WORKERS}", with_joblib(reduce_chunk, chunks)
    yield f"Dask, array.{KERNEL}/{WORKERS}", with_dask_array


def svd_rows():
    yield f"numpy, linalg.svd/{WORKERS}", lambda: numpy.linalg.svd(array(), compute_uv=False)
    if len(SHAPE) > 2 and SHAPE[0] >= WORKERS:
        yield f"ThreadPoolExecutor, linalg.svd/{WORKERS}", over(threads, svd_part, range(WORKERS))
        yield f"ProcessPoolExecutor, linalg.svd/{WORKERS}", over(processes, svd_part, range(WORKERS))


def tall_rows():
    """No shared array: as many normal numbers of the same shape."""
    def matrix():
        need("numpy", "python3-numpy")
        return tall_matrix()
    yield f"numpy, values/{WORKERS}", lambda: numpy.linalg.svd(matrix(), compute_uv=False)
    yield f"numpy, reduced/{WORKERS}", lambda: numpy.linalg.svd(matrix(), full_matrices=False)


@functools.lru_cache(None)
def tall_matrix():
    return numpy.random.default_rng(7).standard_normal((1_000_000, 20))


def hash_rows():
    for workers in sorted({1, WORKERS}):
        yield f"b3sum, with its start/{workers}", lambda w=workers: b3sum("/dev/shm/" + KEY, w)
        yield f"b3sum, hashing alone/{workers}", b3sum_alone(workers)
    import hashlib
    yield "hashlib, blake2b/1", lambda: hashlib.blake2b(array()).digest()
    yield "hashlib, sha256/1", lambda: hashlib.sha256(array()).digest()


def scrypt_rows():
    passwords = range(SHAPE[0])
    yield "hashlib, scrypt/1", lambda: [scrypt_one(i) for i in passwords]
    if len(passwords) > 1:
        yield f"ProcessPoolExecutor, hashlib.scrypt/{WORKERS}", over(processes, scrypt_one, passwords)


def job_rows():
    yield f"ThreadPoolExecutor, submit/{WORKERS}", lambda: threads().submit(empty).result()
    yield f"ProcessPoolExecutor, submit/{WORKERS}", lambda: processes().submit(empty).result()
    yield f"joblib (loky), one task/{WORKERS}", with_joblib(lambda _: None, lambda: [0])
    yield f"Dask, submit/{WORKERS}", lambda: dask_client().submit(empty, pure=False).result()


def rows():
    table = {"svd": svd_rows, "tall": tall_rows, "hash": hash_rows, "scrypt": scrypt_rows, "executors": job_rows}
    return dict(table.get(KERNEL, reduce_rows)())


def run_jobs(work):
    """Single jobs, and how long so many per cent of them took at most."""
    times, cpu, begun = [], cpu_seconds(), time.perf_counter()
    while len(times) < 10 or (len(times) < 200 and time.perf_counter() - begun < 0.05):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    cpu = (cpu_seconds() - cpu) / len(times)
    times.sort()
    quantiles = " ".join(f"q{share:02}={times[len(times) * share // 100]:.9g}"
                         for share in (1, 5, 10, 25, 50, 75, 90, 95, 98, 99))
    return f"done\t{sum(times) / len(times):.9g}\t{cpu:.9g}\t{quantiles}"


def run(name, work):
    """Seconds of one run; of many, if one is short."""
    try:
        if "alone" in name:
            return f"done\t{work():.9g}\t0\t"
        if KERNEL == "executors":
            return run_jobs(work)
        count = 1
        while True:
            cpu = cpu_seconds()
            begin = time.perf_counter()
            for _ in range(count):
                work()
            seconds = time.perf_counter() - begin
            if seconds >= LEAST_SECONDS:
                break
            count = max(2 * count, math.ceil(1.2 * count * LEAST_SECONDS / max(seconds, 1e-7)))
        return f"done\t{seconds / count:.9g}\t{(cpu_seconds() - cpu) / count:.9g}\t"
    except Missing as missing:
        return f"fail\t{missing}"
    except Exception as error:  # a peer's failure is its row's business
        return f"fail\t{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"


def family():
    """We, and every process below us."""
    found = [os.getpid()]
    for parent in found:  # which grows
        for task in os.listdir(f"/proc/{parent}/task") if os.path.isdir(f"/proc/{parent}/task") else ():
            try:
                with open(f"/proc/{parent}/task/{task}/children", encoding="ascii") as file:
                    children = [int(pid) for pid in file.read().split()]
            except OSError:
                continue
            found += children
    return found


def cpu_seconds():
    """Of all of them. The clock of a process has a number that is made of its own (clock_getcpuclockid)."""
    total = time.process_time()
    for pid in family()[1:]:
        try:
            total += time.clock_gettime((~pid << 3) | 2)
        except OSError:
            pass
    return total


def is_tracker(pid):
    """multiprocessing's and loky's: it removes the semaphores of its program when all who know them have ended."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return b"resource_tracker" in file.read()
    except OSError:
        return False


def end():
    """Takes all of them along: a pool may hang at its end, and its workers would outlive us. The trackers end by
    themselves, and take out of /dev/shm what the others left."""
    for pid in family()[1:]:
        try:
            if not is_tracker(pid):
                os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    for folder in SCRATCH + glob.glob(f"/dev/shm/joblib_memmapping_folder_{os.getpid()}_*"):
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def main():
    if "--benchmark_list_tests" in sys.argv:
        print("\n".join(rows()))
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what goes wrong is said in its row; Dask's workers talk
    known = rows()
    for line in sys.stdin:
        name = line.rstrip("\n")
        print(run(name, known[name]) if name in known else "fail\tno such row", flush=True)
    end()


if __name__ == "__main__":
    main()
