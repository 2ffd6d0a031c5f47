"""All placements of n queens that do not attack each other: recursion with bits, and a generator over permutations."""

from itertools import permutations

N = 11
QUICK = 5


def count(n, row, columns, left, right):
    if row == n:
        return 1
    found = 0
    free = ~(columns | left | right) & ((1 << n) - 1)
    while free:
        bit = free & -free
        free ^= bit
        found += count(n, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1)
    return found


def placements(n):
    rows = range(n)
    for columns in permutations(rows):
        if n == len({columns[i] + i for i in rows}) == len({columns[i] - i for i in rows}):
            yield columns


def run(n):
    first = next(placements(n))
    small = sum(1 for _ in placements(n - 2))
    return "%d %d %r" % (count(n, 0, 0, 0, 0), small, first)
