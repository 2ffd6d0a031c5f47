"""Depth: the recursion limit for each way of calling, and that one can go on after it."""
import sys


def plain(n):
    return plain(n + 1)


class Recursive:
    def __getattr__(self, name):
        return getattr(self, name + "x")

    def __add__(self, other):
        return self + other

    def __call__(self):
        return self()

    def __eq__(self, other):
        return self == other

    def __hash__(self):
        return hash(self)

    def __repr__(self):
        return repr(self)


def generator():
    yield from generator()


r = Recursive()
cyclic = []
cyclic.append(cyclic)
other = [cyclic]
cyclic2 = []
cyclic2.append(cyclic2)
for name, attempt in (
    ("plain", lambda: plain(0)),
    ("getattr", lambda: r.x),
    ("add", lambda: r + 1),
    ("call", lambda: r()),
    ("eq", lambda: r == 1),
    ("hash", lambda: hash(r)),
    ("repr", lambda: repr(r)),
    ("generator", lambda: list(generator())),
    ("list eq", lambda: cyclic == cyclic2),
    ("map", lambda: (lambda f: f(f))(lambda f: list(map(f, [f])))),
    ("sort", lambda: (lambda f: f(f))(lambda f: sorted([1], key=lambda _: f(f)))),
    ("isinstance", lambda: isinstance(1, nested)),
):
    nested = int
    for _ in range(3):
        nested = (nested,)
    try:
        attempt()
        print(name, "ends")
    except RecursionError as err:
        print(name, "RecursionError", str(err).startswith("maximum recursion depth exceeded"))


def depth(n):
    return 0 if n == 0 else 1 + depth(n - 1)


print(depth(900), sys.getrecursionlimit())
sys.setrecursionlimit(20000)
print(depth(15000))


def ackermann(m, n):
    return n + 1 if m == 0 else ackermann(m - 1, 1) if n == 0 else ackermann(m - 1, ackermann(m, n - 1))


print(ackermann(2, 300))
sys.setrecursionlimit(200)


def counted():
    n = 0

    def go():
        nonlocal n
        n += 1
        go()

    try:
        go()
    except RecursionError:
        return 150 < n < 201


print(counted(), counted())
for bad in (0, -1, "x"):
    try:
        sys.setrecursionlimit(bad)
    except (ValueError, TypeError) as err:
        print(type(err).__name__, err)
sys.setrecursionlimit(1000)


def mutual_even(n):
    return True if n == 0 else mutual_odd(n - 1)


def mutual_odd(n):
    return False if n == 0 else mutual_even(n - 1)


print(mutual_even(800))
