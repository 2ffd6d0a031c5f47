"""Times small pieces of code, in ns for each time that the piece ran: the median of many short rounds.

A busy or virtual machine is not equally fast all the time, and its clocks may not even agree with each other. So each round is
compared with a piece of machine code that is the same whatever runs it, timed just before and just after: `reference(n)`, which a
benchmark may set, does n steps of about 1 ns. Without one, the shortest round counts.
"""

import time

ROUNDS = 60
ROUND_S = 0.001
STEPS = 100_000
reference = None


def timed(run, n):
    started = time.perf_counter()
    run(n)
    return time.perf_counter() - started


def shortest(run, setup=None):
    """`run(n)` does the work n times and is called until ROUNDS rounds are done."""
    n = 1
    while (took := timed(run, n)) < ROUND_S / 4:
        n *= 4
    n = max(1, int(n * ROUND_S / took))
    if reference is None:
        return min(timed(run, n) for _ in range(ROUNDS)) / n * 1e9
    ratios = []
    before = timed(reference, STEPS)
    for _ in range(ROUNDS):
        took = timed(run, n)
        after = timed(reference, STEPS)
        # A round in which the processor was taken away says nothing.
        if 0.8 < before / after < 1.25:
            ratios.append(took / (before + after) * 2 * STEPS)
        before = after
    ratios.sort()
    return ratios[len(ratios) // 3] / n if ratios else timed(run, n) / n * 1e9


def statement(text, names, unroll=10):
    """The time of a statement, written out `unroll` times in a loop, so that the loop hardly counts."""
    body = "".join("        %s\n" % text for _ in range(unroll))
    source = "def run(n, %s):\n    for _ in range(n):\n%s" % (", ".join("%s=%s" % (n, n) for n in names) or "_=None", body)
    space = dict(names)
    exec(source, space)
    return shortest(space["run"]) / unroll
