"""How long the collector stops a program that keeps some 500 MB of objects and makes cyclic garbage. Prints one line of JSON: name
to ms of processor time of one small step (100 cycles of two objects), the longest ones first."""

import collections
import json
import time

N_LIVE = 2_500_000
N_STEPS = 40_000
N_CYCLES = 100
N_AGED = 100_000


class Node:
    def __init__(self, other):
        self.other = other
        self.items = [other]


def live_heap():
    """Objects that refer to each other, in chains of ten: about 300 bytes each."""
    heap = []
    for number in range(N_LIVE):
        heap.append(Node(heap[-1] if number % 10 else None))
    return heap


def step(aged):
    """Half of the garbage dies young, the other half when the collector has taken it for old."""
    for number in range(N_CYCLES):
        a = Node(None)
        a.other = Node(a)
        if number % 2:
            aged.append(a)


heap = live_heap()
aged = collections.deque(maxlen=N_AGED)
times = []
clock = time.thread_time
for _ in range(N_STEPS):
    start = clock()
    step(aged)
    times.append(clock() - start)
times.sort()
print(json.dumps({
    "longest": times[-1] * 1e3,
    "of 1,000 the longest": times[-N_STEPS // 1000] * 1e3,
    "median": times[N_STEPS // 2] * 1e3,
    "all": sum(times) * 1e3,
}))
