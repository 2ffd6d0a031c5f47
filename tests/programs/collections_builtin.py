"""list, tuple, dict, set: construction, mutation, order, views, operators, comparison, sorting, mutation during iteration."""
a = [3, 1, 2]
a.append(5)
a.extend((7, 6))
a.insert(1, "x")
a.remove("x")
print(a, a.pop(), a.pop(0), a.index(5), a.count(1), a[::-1], a + [1], a * 2, 2 in a, a == [1, 2, 5, 7], a < [1, 3], len(a))
a[1:3] = "abc"
print(a, a[1:1], a[-2:], a[::2])
a[::2] = [0] * len(a[::2])
del a[0], a[-1:]
a *= 2
print(a, [1, [2, 3]] == [1, [2, 3]], [] < [0], [1, 2] <= [1, 2], list("ab") + list(range(2)))
b = a.copy()
b.clear()
print(a is b, b, [*a, *b, *"xy"], sorted("bca", reverse=True), list(reversed([1, 2, 3])))
words = "banana Apple cherry apple Banana fig".split()
print(sorted(words), sorted(words, key=str.lower), sorted(words, key=len, reverse=True), sorted(words, key=lambda w: (len(w), w)))
words.sort(key=lambda w: w[-1])
print(words, sorted([(1, "b"), (1, "a"), (0, "z")]), sorted([3.5, 1, 2.25, -1]), max(words, key=len), min([], default="none"), sorted([[2], [1, 5], []]))
data = [(i * 7919 % 101, i) for i in range(300)]
print(sorted(data, key=lambda p: p[0])[:6], sorted(data) == sorted(reversed(data)), sorted(data, reverse=True)[0])
t = (1, "two", [3])
print(t, t + (4,), t * 2, t[1:], t.index("two"), t.count(1), (), (1,), tuple("ab"), t == (1, "two", [3]), hash((1, 2)) == hash((1, 2)), (1, 2) < (1, 3), ((1, 2), 3)[0][1])
t[2].append(4)
print(t)
try:
    t[2] += [5]
except TypeError as err:
    print(err, t)
d = {"b": 1, "a": 2}
d["c"] = 3
d["b"] = 9
print(d, list(d), d.get("x"), d.get("x", 0), d.pop("a"), d.pop("zz", None), d.setdefault("d", []), "c" in d, len(d), list(d.items()), list(d.values()), list(reversed(d)))
d.update(e=5, b=0)
d |= {"f": 6}
print(d, d | {"b": -1}, {**d, "g": 7}, dict([("x", 1)], y=2), dict.fromkeys("ab", 0), dict(zip("ab", [1, 2])), d.popitem(), {1: "int", 1.0: "float", True: "bool"})
del d["b"]
print(d, d == {"f": 1}, {"a": 1, "b": 2} == {"b": 2, "a": 1}, d.keys() & {"c", "zz"}, sorted(d.keys() | set()), d.items() >= {("c", 3)}, {k: v for k, v in d.items() if isinstance(v, int)})
view = d.keys()
d["new"] = None
print(view, len(view), "new" in view, d.copy() is d, next(iter(d)), [*d], {**{}})
s = {3, 1, 2, 3}
s.add(4)
s.discard(99)
s.remove(1)
print(s, s | {9}, s & {2, 3}, s - {2}, s ^ {2, 9}, s <= {2, 3, 4, 5}, s > {2}, s.isdisjoint({7}), s == {4, 3, 2}, frozenset(s) == s, hash(frozenset([1, 2])) == hash(frozenset([2, 1])), len(s), set("aab") == {"a", "b"})
s |= {10}
s -= {2}
s ^= {3, 11}
print(sorted(s), {frozenset([1]): "x"}[frozenset([1])], set().union([1], (2,), "3") == {1, 2, "3"}, sorted({1, 2}.symmetric_difference([2, 3])), {i % 3 for i in range(9)})
first, *middle, last = range(6)
(x, (y, *z)), w = (1, "abc"), [2]
print(first, middle, last, x, y, z, w, [*range(2), *[3]], [a for a, *_ in [(1, 2), (3,)]])
x = y = []
x.append(1)
print(y, x is y)
x, y = 1, 2
x, y = y, x
grid = [[0] * 2 for _ in range(2)]
grid[0][1], grid[1][0] = 5, 6
print(x, y, grid, list(zip(*grid)), list(zip("ab", range(5))), list(enumerate("ab", 1)), list(map(lambda a, b: a + b, [1, 2], [10, 20])), list(filter(None, [0, 1, "", "a"])), any([0, ""]), all([]), sum([[1], [2]], []), list(zip([1], [2], strict=True)))


def attempt(function):
    try:
        print(function())
    except Exception as err:
        print(type(err).__name__, err)


def mutate_dict():
    d = {1: 1, 2: 2}
    for key in d:
        d[key + 10] = 1


def mutate_set():
    s = {1, 2}
    for item in s:
        s.add(item + 10)


def grow_list():
    seen, items = [], [1, 2]
    for item in items:
        if item < 5:
            items.append(item + 2)
        seen.append(item)
    return seen


def sort_mutating():
    items = [3, 1, 2]
    items.sort(key=lambda x: items.append(x) or x)


for function in (mutate_dict, mutate_set, grow_list, sort_mutating, lambda: {}.popitem(), lambda: set().pop(), lambda: [].pop(), lambda: {[1]: 2}, lambda: {1, {}}, lambda: dict([1]), lambda: dict([(1, 2, 3)]), lambda: [1] + (2,), lambda: [1, 2][3], lambda: (1,)[1], lambda: [1][None], lambda: list(zip([1], [], strict=True)), lambda: [].remove(1), lambda: {}.pop("k"), lambda: max([]), lambda: exec("a, b = 1, 2, 3"), lambda: exec("a, b = 1,"), lambda: exec("a, *b, c = 1,"), lambda: exec("a, b = 5"), lambda: [1, 2].index(3), lambda: (1, 2).index(3), lambda: exec("x = [1, 2, 3]; x[::2] = [1]"), lambda: sorted([1, None]), lambda: [1] * "a", lambda: {1} + {2}, lambda: {} < {}):
    attempt(function)


class Weird:
    def __init__(self, value):
        self.value = value

    def __hash__(self):
        return 7

    def __eq__(self, other):
        return self.value == other.value


many = {Weird(i): i for i in range(50)}
print(many[Weird(33)], len(many), [many.pop(Weird(i)) for i in (0, 49, 20)], len(many), Weird(20) in many)


class Default(dict):
    def __missing__(self, key):
        self[key] = f"made {key}"
        return self[key]


default = Default()
print(default["x"], default.get("y"), default, isinstance(default, dict))
large = {}
for i in range(5000):
    large[i * 37 % 10007] = i
for i in range(0, 5000, 3):
    del large[i * 37 % 10007]
print(len(large), sum(large.values()), sum(large), list(large)[:5], list(large)[-3:])
print(list(range(10))[2:8:3], range(10)[2:8:3], range(5, 0, -2)[1], len(range(0, 100, 7)), 14 in range(0, 100, 7), range(3) == range(0, 3, 1), range(10).index(4), list(reversed(range(3))), range(10**20)[-1], slice(1, 10, 2).indices(5))
print([1, 2, 3].__class_getitem__(int), list[int], dict[str, list[int]], tuple[int, ...], int | None, isinstance(1, int | str))
