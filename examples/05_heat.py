"""Heat spreads over a plate: a plain loop over the elements of an array, checked against whole-array arithmetic."""

import time

import numpy as np


def relax(plate, rounds):
    """One element at a time, as one would write it in C."""
    height, width = plate.shape
    for _ in range(rounds):
        new = plate.copy()
        for y in range(1, height - 1):
            for x in range(1, width - 1):
                new[y, x] = (plate[y - 1, x] + plate[y + 1, x] + plate[y, x - 1] + plate[y, x + 1]) / 4
        plate = new
    return plate


def relax_whole(plate, rounds):
    plate = plate.copy()
    for _ in range(rounds):
        plate[1:-1, 1:-1] = (plate[:-2, 1:-1] + plate[2:, 1:-1] + plate[1:-1, :-2] + plate[1:-1, 2:]) / 4
    return plate


plate = np.zeros((40, 60))
plate[0] = 100.0
started = time.perf_counter()
slow = relax(plate, 40)
between = time.perf_counter()
fast = relax_whole(plate, 40)
ended = time.perf_counter()
assert np.allclose(slow, fast)
for y in range(0, 12, 2):
    print("   " + "".join(" .:-=+*#%@"[int(value / 10.1)] for value in slow[y, ::2]))
print(f"   element by element {between - started:.3f} s, whole arrays {ended - between:.3f} s")
