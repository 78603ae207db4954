"""memory_numpy.py -- NumPy's side of test_memory_numpy.c: reads what sheaf wrote, by key and as .npy, and
writes what sheaf is to read. Arguments: a directory with cases.txt, lines of "key name dtype shape..."."""
import io
import sys

try:
    import numpy as np
except ImportError:
    sys.exit(77)


def saved(array, version=None):
    file = io.BytesIO()
    if version is None:
        np.save(file, array)
    else:
        np.lib.format.write_array(file, array, version=version)
    return file.getvalue()


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def check(directory, key, name, dtype, shape):
    count = int(np.prod(shape, dtype=np.int64))
    expected = np.arange(count).astype(dtype).reshape(shape)
    if count > 0:
        mapped = np.memmap("/dev/shm/" + key, dtype, mode="r+", shape=shape or (1,))
        mapped = mapped.reshape(shape)
        assert np.array_equal(mapped, expected), (key, mapped, expected)
        mapped += 1
    path = f"{directory}/{name}"
    with open(path + ".npy", "rb") as file:
        assert file.read() == saved(expected), path
    assert np.array_equal(np.load(path + ".npy"), expected)
    write(path + ".v1.npy", saved(expected + np.array(1, dtype)))
    for version in (2, 3):
        write(f"{path}.v{version}.npy", saved(expected + np.array(1, dtype), (version, 0)))


def refused(directory):
    square = np.arange(6.0).reshape(2, 3)
    for name, array in {
        "fortran": np.asfortranarray(square),
        "big": square.astype(">f8"),
        "objects": np.array([1, "a", None], dtype=object),
        "structured": np.zeros(3, dtype=[("a", "<f8"), ("b", "<i4")]),
        "complex": np.zeros(3, dtype=complex),
    }.items():
        write(f"{directory}/{name}.npy", saved(array))


directory = sys.argv[1]
with open(directory + "/cases.txt") as cases:
    for line in cases:
        key, name, dtype, *shape = line.split()
        check(directory, key, name, dtype, tuple(int(extent) for extent in shape))
refused(directory)
