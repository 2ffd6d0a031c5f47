"""A short program with NumPy's wheel for valgrind: most parts of the C API that the wheel uses, once."""

import numpy as np
a = np.arange(100).reshape(10, 10) * 1.5
b = (a @ a.T).sum(axis=0)
print(b[:3], a[2, 3], a[1:3, ::2])
c = np.array(["x", "yy"], dtype=object)
d = np.zeros(5, dtype=[("p", "i4"), ("q", "f8")])
d["p"][:] = 3
print(c, d, np.linalg.inv(np.eye(3) * 2))
print(np.sort(np.random.default_rng(1).random(10)))
try:
    np.zeros(3) + np.zeros(4)
except ValueError as error:
    print(error)


class Sub(np.ndarray):
    pass


sub = np.zeros(3).view(Sub)
sub.x = 1
print(type(sub + 1), np.add.reduce(sub))
