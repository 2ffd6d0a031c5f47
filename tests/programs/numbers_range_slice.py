# Ranges and slices: lengths, items, slices, membership, iterators with their states, and the errors' words.
import copy


def show(label, f, *args, **kwargs):
    try:
        text = repr(f(*args, **kwargs))
    except Exception as e:
        text = f"{type(e).__name__}: {e}"
    print(label, text)


big = 2**70
ranges = [range(0), range(5), range(2, 9), range(2, 10, 3), range(10, 2, -3), range(5, 5), range(5, 0), range(-3, 4, 2), range(big), range(big, big + 5), range(big, 0, -big // 3),
          range(2**63 - 3, 2**63), range(-2**63, -2**63 + 3), range(0, 2**63 - 1, 2**62), range(0, -2**63, -2**62), range(1, 2), range(1, 100, 1000)]
for r in ranges:
    print(r, bool(r), r.start, r.stop, r.step, hash(r))
    show("len", len, r)
    show("first", lambda: r[0])
    show("last", lambda: r[-1])
    show("far", lambda: r[big * 2])
    show("far", lambda: r[-big * 2])
    for s in (slice(None), slice(1, 3), slice(None, None, -1), slice(-2, None), slice(None, None, 2), slice(5, 1, -2), slice(-big * 4, big * 4, 3)):
        print(r[s], end=" ")
    print()
    for v in (0, 1, 2, 5, -3, 8, big, big + 4, 2.0, 2.5, True, "a", 2**63 - 2):
        if len(range(0, 10)) and (isinstance(v, (int,)) or r.stop < 1000 and r.start < 1000):
            print(v in r, end=" ")
            show("count", r.count, v)
            show("index", r.index, v)
    it = iter(r)
    print(type(it).__name__, it.__length_hint__(), [next(it, None) for _ in range(3)], it.__length_hint__(), it.__reduce__()[1:])
    rev = reversed(r)
    print(type(rev).__name__, [next(rev, None) for _ in range(3)], rev.__reduce__()[1:])
    print(r.__reduce__()[1], copy.copy(r) == r)
for r in ranges[:8]:
    print(list(r), list(reversed(r)), [r[i] for i in range(len(r))], sum(r))
print([a == b for a in ranges for b in ranges].count(True), range(0) == range(2, 1), range(0, 3, 2) == range(0, 4, 2), range(3) != range(3), hash(range(0)) == hash(range(5, 5)))
it = iter(range(10))
it.__setstate__(4)
print(list(it))
it = iter(range(big, big + 10))
it.__setstate__(8)
print(list(it), list(it))
it = iter(range(3))
it.__setstate__(-5)
print(list(it))
it.__setstate__(100)
print(list(it), it.__length_hint__())
show("r", range)
show("r", range, 1, 2, 0)
show("r", range, 1.0)
show("r", range, 1, 2, 3, 4)
show("r", range, stop=1)
show("r", range, "a")
show("r", lambda: range(3)[3])
show("r", lambda: range(3)["a"])
show("r", lambda: range(3)[1.0])
show("r", lambda: range(3) < range(4))
show("r", range(3).index, 5)
show("r", range(3).index, "a")
show("r", range(5).__contains__, 2.0)
show("r", setattr, range(3), "start", 1)
show("r", lambda: type("R", (range,), {}))
show("r", iter(range(3)).__setstate__, "a")
show("r", iter(range(3)).__setstate__, big)


class Index:
    def __init__(self, n):
        self.n = n

    def __index__(self):
        return self.n


class Eq:
    def __eq__(self, other):
        return other == 2


print(range(Index(2), Index(5), Index(2)), range(5)[Index(3)], Eq() in range(5), range(5).index(Eq()), range(5).count(Eq()), Index(2) in range(5))

for s in (slice(3), slice(1, 2), slice(1, 2, 3), slice(None, None, -1), slice("a", [], 1.5)):
    print(s, s.start, s.stop, s.step, s.__reduce__())
print(slice(1, 2) == slice(1, 2), slice(1, 2) != slice(1, 3), slice(1, 2) < slice(1, 3), slice(1) == 1, hash(slice(1, 2, 3)) == hash(slice(1, 2, 3)), hash(slice(1, 2, 3)))
show("s", hash, slice([], 1))
show("s", slice)
show("s", slice, 1, 2, 3, 4)
show("s", slice, start=1)
for s in (slice(None), slice(2), slice(-2, None), slice(None, None, -1), slice(5, 1, -2), slice(-100, 100, 3), slice(100, -100, -3), slice(big, -big, -big), slice(-big, big, big), slice(Index(1), Index(3))):
    for n in (0, 1, 5, 10, big):
        print(s.indices(n), end=" ")
    print()
show("s", slice(1, 2, 0).indices, 3)
show("s", slice(1, 2, 1).indices, -3)
show("s", slice("a").indices, 3)
show("s", slice(1).indices, "a")
text = "abcdefghij"
items = list(range(10))
for a in (None, 0, 3, -3, 20, -20, big, -big):
    for b in (None, 0, 5, -2, 20, -20, big):
        for c in (None, 1, 2, -1, -3, big, -big):
            x = text[a:b:c]
            assert list(x) == [text[i] for i in range(*slice(a, b, c).indices(10))]
            assert items[a:b:c] == [i for i in range(10)[a:b:c]], (a, b, c)
            print(x, end=" ")
print()
show("s", lambda: items[1.0:2])
show("s", lambda: items[::0])
show("s", lambda: text["a":])
