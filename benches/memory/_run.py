"""How much a process grows for many objects: _run.py WHAT, or without WHAT for all in turn. Prints one line of JSON: name to kB."""

import json
import subprocess
import sys

N = 1_000_000


class Instance:
    def __init__(self, x, y):
        self.x = x
        self.y = y


class Slots:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y


def nothing():
    pass


def modules():
    import argparse, asyncio, dataclasses, decimal, json, logging, re, typing, unittest

    return argparse, asyncio, dataclasses, decimal, json, logging, re, typing, unittest


KINDS = {
    "start": lambda: None,
    "1e6 instances": lambda: [Instance(None, None) for _ in range(N)],
    "1e6 instances with slots": lambda: [Slots(None, None) for _ in range(N)],
    "dict of 1e6 ints": lambda: {i: None for i in range(N)},
    "1e6 dicts of 3": lambda: [{"a": 1, "b": 2, "c": 3} for _ in range(N)],
    "1e6 ints": lambda: list(range(1000, N + 1000)),
    "1e6 floats": lambda: [i + 0.5 for i in range(N)],
    "1e6 strings": lambda: ["text %d" % i for i in range(N)],
    "1e6 tuples": lambda: [(i, None) for i in range(N)],
    "1e6 lists": lambda: [[None] for _ in range(N)],
    "set of 1e6 ints": lambda: set(range(N)),
    "1e5 functions": lambda: [lambda: None for _ in range(N // 10)],
    "1e5 closed-over cells": lambda: [(lambda: i) for i in range(N // 10)],
    "1e4 classes": lambda: [type("C", (), {}) for _ in range(N // 100)],
    "1e4 generators": lambda: [(i for i in ()) for _ in range(N // 100)],
    "modules": modules,
}


def resident_kb():
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


if len(sys.argv) > 1:
    before = resident_kb()
    kept = KINDS[sys.argv[1]]()
    after = resident_kb()
    print(after if sys.argv[1] == "start" else after - before)
else:
    sizes = {}
    for name in KINDS:
        run = subprocess.run([sys.executable, __file__, name], capture_output=True, check=True)
        sizes[name] = int(run.stdout)
    print(json.dumps(sizes))
