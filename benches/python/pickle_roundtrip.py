"""Objects, shared references and containers through pickle and back, with each modern protocol."""

import pickle

N = 500
QUICK = 1


class Node:
    def __init__(self, name, value):
        self.name = name
        self.value = value
        self.children = []

    def total(self):
        return self.value + sum(child.total() for child in self.children)


class Slotted:
    __slots__ = ("a", "b")

    def __init__(self, a, b):
        self.a = a
        self.b = b


class Reduced:
    def __init__(self, *parts):
        self.parts = parts

    def __reduce__(self):
        return Reduced, self.parts


def tree(depth, width, counter):
    node = Node("node%d" % next(counter), depth)
    if depth:
        node.children = [tree(depth - 1, width, counter) for _ in range(width)]
    return node


def run(n):
    shared = ("shared", 1.5, b"bytes", frozenset([1, 2, 3]))
    value = {
        "tree": tree(4, 4, iter(range(1000))),
        "slotted": [Slotted(number, str(number)) for number in range(200)],
        "reduced": [Reduced(number, -number) for number in range(200)],
        "shared": [shared] * 100,
        "ints": [1 << shift for shift in range(100)],
        "dicts": [{"key%d" % key: key * 0.5 for key in range(20)} for _ in range(20)],
    }
    checksum = 0
    for turn in range(n):
        data = pickle.dumps(value, protocol=2 + turn % 4)
        back = pickle.loads(data)
        assert back["shared"][0] is back["shared"][99] and back["shared"][0] == shared
        checksum += back["tree"].total() + back["slotted"][7].a + back["reduced"][9].parts[1] + len(back["ints"])
        checksum += back["ints"][99] % 1009
    return str(checksum)
