"""Times small pieces of code: the shortest of many rounds, in ns of processor time for each time that the piece ran."""

import time

ROUNDS = 10
ROUND_S = 0.004


def shortest(run, setup=None):
    """`run(n)` does the work n times and is called until ROUNDS rounds are done."""
    n = 1
    while True:
        started = time.process_time()
        run(n)
        took = time.process_time() - started
        if took > ROUND_S / 4:
            break
        n *= 4
    n = max(1, int(n * ROUND_S / took))
    best = took / n
    for _ in range(ROUNDS):
        started = time.process_time()
        run(n)
        best = min(best, (time.process_time() - started) / n)
    return best * 1e9


def statement(text, names, unroll=10):
    """The time of a statement, written out `unroll` times in a loop, so that the loop hardly counts."""
    body = "".join("        %s\n" % text for _ in range(unroll))
    source = "def run(n, %s):\n    for _ in range(n):\n%s" % (", ".join("%s=%s" % (n, n) for n in names) or "_=None", body)
    space = dict(names)
    exec(source, space)
    return shortest(space["run"]) / unroll
