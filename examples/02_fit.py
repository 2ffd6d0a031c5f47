"""Least squares: noisy measurements of a falling ball, and the gravity that they imply."""

import numpy as np

random = np.random.default_rng(7)
time = np.linspace(0.0, 2.0, 41)
height = 20.0 + 3.0 * time - 0.5 * 9.81 * time**2
measured = height + random.normal(0.0, 0.05, time.size)

powers = np.vander(time, 3, increasing=True)
(start, speed, half), residual, rank, _ = np.linalg.lstsq(powers, measured)
print(f"   start {start:.2f} m, speed {speed:.2f} m/s, gravity {-2 * half:.2f} m/s2 (made with 20, 3 and 9.81)")
print(f"   rank {rank}, spread of the measurements {np.sqrt(residual[0] / time.size):.3f} m")
assert abs(-2 * half - 9.81) < 0.2
