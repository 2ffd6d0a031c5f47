# wheels: numpy==2.5.5
"""NumPy: arrays, dtypes, broadcasting, indexing, ufuncs, linear algebra, random numbers, files and errors."""

import io
import pickle

import numpy as np

print(np.__version__)
a = np.arange(24).reshape(2, 3, 4)
print(a.shape, a.strides, a.dtype, a.flags.c_contiguous, a.T.flags.f_contiguous, a[:, ::2].strides)
print(a[1, 2, 3], a[..., -1].tolist(), a[:, [0, 2], 1].tolist(), a[a % 7 == 0].tolist())
a[0, :, 1] += 100
a[a > 110] = -1
print(a)

b = np.linspace(0, 1, 5)
print(b, repr(b.astype("f4")), np.array2string(b * 1e-9, precision=3))
print(b[:, None] + np.array([10, 20]))
print(np.add.reduce(a, axis=(0, 2)), np.multiply.outer([1, 2], [3, 4]).tolist(), np.add.accumulate([1, 2, 3]))
print(np.sin(b).round(6), np.hypot(3, 4), np.where(b > 0.4, b, -b), np.clip(b, 0.2, 0.8))
print(np.array([1, 2], "i1") + np.array([300], "i2"), np.result_type("i4", "f4"), np.can_cast("f8", "f4"))

with np.errstate(divide="ignore", invalid="ignore"):
    print(np.array([1.0, -1.0, 0.0]) / 0.0)
try:
    with np.errstate(all="raise"):
        np.float64(1) / 0
except FloatingPointError as err:
    print("FloatingPointError", err)

record = np.array([(1, 2.5, "ab"), (2, -1, "cd")], dtype=[("id", "i4"), ("x", "f8"), ("s", "U4")])
print(record["x"].sum(), record[record["id"] == 2]["s"][0], record.dtype.itemsize, record)
objects = np.array([1, "two", None, [3]], dtype=object)
print(objects, (objects[:1] + objects[:1]).tolist())
print(np.array(["b", "a", "c"])[np.argsort(["b", "a", "c"])], np.strings.upper(np.array(["xy", "é"])))
print(np.datetime64("2026-11-20") - np.datetime64("2026-01-01"), np.arange("2026-02", "2026-05", dtype="M8[M]"))
print(np.array([1 + 2j, 3j]).conj() @ np.array([1, 1j]), np.finfo("f4").eps, np.iinfo("u8").max)

matrix = np.array([[4.0, 1, 2], [1, 3, 0], [2, 0, 5]])
values, vectors = np.linalg.eigh(matrix)
print(values.round(8), np.allclose(vectors @ np.diag(values) @ vectors.T, matrix))
print(np.linalg.solve(matrix, [1, 2, 3]).round(8), round(float(np.linalg.det(matrix)), 8))
print(np.einsum("ij,jk->ik", matrix, matrix)[0], np.abs(np.fft.rfft([1, 2, 3, 4])).round(6))

random = np.random.default_rng(42)
print(random.integers(0, 100, 6), random.random(3).round(8), random.normal(size=2).round(8))
print(np.random.RandomState(7).permutation(8), random.choice(["a", "b", "c"], 4, p=[0.2, 0.3, 0.5]))

file = io.BytesIO()
np.savez(file, a=a, record=record)
file.seek(0)
loaded = np.load(file)
assert (loaded["a"] == a).all() and loaded["record"].dtype == record.dtype
assert (pickle.loads(pickle.dumps(a, 5)) == a).all()
print(np.loadtxt(io.StringIO("1 2\n3 4")), memoryview(b).format, np.frombuffer(b"\1\0\2\0", "<i2"))
print(np.sort([3, 1, 2])[::-1], np.unique([3, 1, 3, 2], return_counts=True), np.searchsorted([1, 3, 5], 4))
print(np.ma.masked_greater([1, 5, 2], 3), np.vectorize(lambda x: x * 2)([1, 2]), np.histogram([1, 2, 2, 5], 3))


class Tagged(np.ndarray):
    def __array_finalize__(self, other):
        self.tag = getattr(other, "tag", "none")


tagged = np.zeros(3).view(Tagged)
tagged.tag = "kept"
print(type(tagged[1:]).__name__, (tagged + 1).tag, np.asarray(tagged).__class__.__name__)

for attempt in (
    lambda: np.zeros(3) + np.zeros(4),
    lambda: np.zeros((2, 2))[5],
    lambda: np.array([1, 2]).reshape(3),
    lambda: np.dtype("nonsense"),
    lambda: np.linalg.inv(np.zeros((2, 2))),
    lambda: np.array([1], "i1") + 300,
):
    try:
        print(attempt())
    except Exception as err:
        print(type(err).__name__, "|", err)
