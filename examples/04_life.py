"""The game of life: a glider crosses a field, computed with shifted arrays."""

import numpy as np


def step(field):
    around = sum(np.roll(field, (dy, dx), (0, 1)) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx)
    return ((around == 3) | (field & (around == 2))).astype(np.uint8)


field = np.zeros((8, 24), np.uint8)
field[1:4, 1:4] = [[0, 1, 0], [0, 0, 1], [1, 1, 1]]
for generation in range(41):
    if generation % 20 == 0:
        print(f"   generation {generation}")
        for row in field:
            print("   " + "".join(".#"[cell] for cell in row))
    field = step(field)
assert field.sum() == 5
