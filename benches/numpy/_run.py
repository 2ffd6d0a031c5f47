"""Times NumPy where the interpreter shows: small arrays, scalars, attributes. Prints one line of JSON: name to ns."""

import json
import os
import sys
import time

started = time.perf_counter()
import numpy as np

imported = time.perf_counter() - started

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import _measure
from _measure import statement

# Additions that wait for each other.
terms, sums = np.ones(_measure.STEPS), np.zeros(_measure.STEPS)
_measure.reference = lambda n: terms.cumsum(out=sums)
steps = sorted(_measure.timed(_measure.reference, _measure.STEPS) for _ in range(9))[4]
times = {"import numpy": imported / steps * _measure.STEPS}


def call(name, text, unroll=10, **names):
    times[name] = statement(text, names, unroll)


small = np.arange(8.0)
square = np.arange(12.0).reshape(3, 4)
number = np.float64(2.5)
call("a[3]", "a[3]", a=small)
call("a[1, 2]", "a[1, 2]", a=square)
call("a[3] = 1.5", "a[3] = 1.5", a=small.copy())
call("a[1:5]", "a[1:5]", a=small)
call("a[mask]", "a[m]", a=small, m=small > 3)
call("a[indices]", "a[i]", a=small, i=np.array([1, 2, 5]))
call("a.shape", "a.shape", a=square)
call("a.dtype", "a.dtype", a=square)
call("a.T", "a.T", a=square)
call("len(a)", "len(a)", a=small)
call("scalar + float", "x + 1.5", x=number)
call("scalar * scalar", "x * x", x=number)
call("float(scalar)", "float(x)", x=number)
call("a + a", "a + a", a=small)
call("a * 2.0", "a * 2.0", a=small)
call("a += a", "a += b", a=small.copy(), b=np.zeros(8))
call("np.add(a, a, out)", "f(a, a, out)", f=np.add, a=small, out=np.zeros(8))
call("np.sin(a)", "f(a)", f=np.sin, a=small)
call("a > 3", "a > 3", a=small)
call("a.sum()", "a.sum()", a=small)
call("np.sum(a)", "f(a)", f=np.sum, a=small)
call("a.max()", "a.max()", a=small)
call("a.reshape", "a.reshape(4, 3)", a=square)
call("a.copy()", "a.copy()", a=small)
call("a.astype", "a.astype('i8')", a=small)
call("a.tolist()", "a.tolist()", a=small)
call("a @ a", "a @ b", a=square, b=square.T)
call("np.array(list)", "f([1, 2, 3])", f=np.array)
call("np.zeros(8)", "f(8)", f=np.zeros)
call("np.arange(8)", "f(8)", f=np.arange)
call("np.concatenate", "f((a, a))", f=np.concatenate, a=small)
call("np.where", "f(m, a, a)", f=np.where, m=small > 3, a=small)
call("for x in a", "for _ in a: pass", a=small)
call("np.dot", "f(a, a)", f=np.dot, a=small)
call("np.mean", "f(a)", f=np.mean, a=small)
call("np.linalg.norm", "f(a)", f=np.linalg.norm, a=small)
call("np.isclose", "f(a, a)", f=np.isclose, a=small)
large = np.random.default_rng(1).random(300_000)
matrix = large[:62_500].reshape(250, 250)
call("large: a + a", "a + a", 1, a=large)
call("large: np.sin(a)", "f(a)", 1, f=np.sin, a=large)
call("large: a.sum()", "a.sum()", 1, a=large)
call("large: np.sort", "f(a)", 1, f=np.sort, a=large)
call("large: a[mask]", "a[m]", 1, a=large, m=large > 0.5)
call("large: a @ a", "a @ a", 1, a=matrix)
call("large: cumsum", "a.cumsum()", 1, a=large)
call("large: fft", "f(a)", 1, f=np.fft.rfft, a=large)
call("large: tolist", "a.tolist()", 1, a=large)
call("large: np.array(list)", "f(a)", 1, f=np.array, a=large.tolist())
call("large: object add", "a + a", 1, a=large.astype(object))
print(json.dumps(times))
