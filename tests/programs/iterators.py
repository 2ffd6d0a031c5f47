"""Iterators: the protocol, the built-in ones, itertools, exhaustion, __getitem__ iteration, length hints, comprehensions."""
import itertools as it
import operator


class Countdown:
    def __init__(self, n):
        self.n = n

    def __iter__(self):
        return self

    def __next__(self):
        if self.n <= 0:
            raise StopIteration
        self.n -= 1
        return self.n


class Old:
    def __getitem__(self, index):
        if index > 3:
            raise IndexError
        return index * index


class Hint:
    def __len__(self):
        return 3

    def __getitem__(self, i):
        return "abc"[i]

    def __reversed__(self):
        return iter("reversed")


print(list(Countdown(3)), list(Old()), 4 in Old(), list(reversed(Hint())), list(Hint()), operator.length_hint(iter([1, 2])), tuple(Countdown(2)), max(Old()), sum(Old()))
a = iter([1, 2, 3])
print(next(a), list(a), list(a), next(a, "gone"))
values = iter(range(10))
print([x for x in values if x < 3 or next(values, None)], list(iter(lambda c=iter([1, 2, 0, 3]): next(c), 0)))
print(list(zip("abc", it.count(1))), list(zip("ab", "xyz")), list(enumerate("ab", 5)), list(map(pow, [2, 3], [3, 2])), list(filter(str.isdigit, "a1b2")), list(reversed([1, 2])))
print(list(it.chain("ab", [1])), list(it.chain.from_iterable(["ab", "c"])), list(it.islice(it.count(5, 2), 2, 8, 2)), list(it.takewhile(lambda x: x < 3, it.count())), list(it.dropwhile(lambda x: x < 3, range(6))))
print(list(it.product("ab", repeat=2)), list(it.permutations([1, 2, 3], 2)), list(it.combinations("abcd", 3)), list(it.combinations_with_replacement("ab", 2)))
print([(k, list(g)) for k, g in it.groupby("aaabbca")], list(it.accumulate([1, 2, 3], operator.mul, initial=10)), list(it.starmap(pow, [(2, 3), (3, 2)])), list(it.compress("abcd", [1, 0, 1, 0])), list(it.zip_longest("ab", "c", fillvalue="-")))
first, second = it.tee(iter([1, 2, 3]))
print(next(first), list(second), list(first), list(it.pairwise("abcd")), list(it.batched("abcdefg", 3)), list(it.repeat(7, 3)), list(it.islice(it.cycle("ab"), 5)), list(it.filterfalse(None, [0, 1, ""])))
print([[j for j in range(i)] for i in range(4)], {k: v for k, v in zip("ab", range(2))}, {x % 3 for x in range(10)}, [(x, y) for x in range(3) for y in range(x) if (x + y) % 2], [a if a > 1 else -a for a in range(3)])
print(sum(x * x for x in range(10)), any(x > 5 for x in range(10)), all(x > 5 for x in range(10)), min((abs(x), x) for x in (-3, 2)), dict(a=1, **{k: k for k in "xy"}), [*(i for i in range(2)), *{3}])
for i, (a, *b) in enumerate([(1, 2, 3), "xy"]):
    print(i, a, b)
else:
    print("exhausted")
while True:
    break
else:
    print("never")
for x in []:
    pass
else:
    print("empty")


class Broken:
    def __iter__(self):
        return 5


class Fails:
    def __init__(self):
        self.n = 0

    def __iter__(self):
        return self

    def __next__(self):
        self.n += 1
        if self.n == 2:
            raise ValueError("while iterating")
        return self.n


for attempt in (lambda: iter(5), lambda: list(Broken()), lambda: next([]), lambda: list(Fails()), lambda: [x for x in Fails()], lambda: dict(Fails()), lambda: sorted(Fails()), lambda: [*None], lambda: exec("for x in 5: pass"), lambda: list(zip([1], 5)), lambda: it.islice([1], -1), lambda: list(it.chain([1], 2)), lambda: list(map(5, [1])), lambda: exec("a, b = Fails()", globals()), lambda: "x" in 5, lambda: iter(len, 1, 2)):
    try:
        print(attempt())
    except Exception as err:
        print(type(err).__name__, err)
print([type(x).__name__ for x in (iter([]), iter(()), iter({}), iter(set()), iter(""), iter("é漢"), iter(b""), iter(range(1)), {}.items(), iter({}.values()), reversed([]), zip(), map(int, []), (i for i in []), iter(lambda: 1, 1))])
it1 = iter({"a": 1, "b": 2}.items())
print(next(it1), list(it1), it1.__length_hint__(), operator.itemgetter(1, 0)("ab"), operator.attrgetter("real")(5), operator.methodcaller("upper")("x"))
