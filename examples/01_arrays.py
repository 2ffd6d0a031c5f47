"""Arrays: shapes, broadcasting, masks and reductions."""

import sys

import numpy as np

print("   Python", sys.version.split()[0], "and NumPy", np.__version__)

table = np.arange(1, 13).reshape(3, 4)
print("   a table\n", table)
print("   its columns' means", table.mean(axis=0), "and the running sum of its first row", table[0].cumsum())
print("   what is odd in it", table[table % 2 == 1])

multiplication = np.arange(1, 6)[:, None] * np.arange(1, 6)
print("   broadcasting makes a multiplication table\n", multiplication)
assert (multiplication == multiplication.T).all() and multiplication.trace() == 55
