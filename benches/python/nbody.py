"""Planets attract each other: float arithmetic on attributes of lists, as a symplectic integrator does it."""

N = 130000
QUICK = 100

PI = 3.141592653589793
SOLAR_MASS = 4 * PI * PI
DAYS = 365.24

# position (x, y, z), velocity per day (x, y, z), mass in suns
BODIES = {
    "sun": ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 1.0),
    "jupiter": ((4.8414, -1.1603, -0.1036), (0.001660, 0.007699, -0.0000690), 9.5479e-4),
    "saturn": ((8.3434, 4.1248, -0.4035), (-0.002767, 0.004998, 0.0000230), 2.8588e-4),
    "uranus": ((12.8943, -15.1111, -0.2233), (0.002964, 0.002378, -0.0000296), 4.3662e-5),
    "neptune": ((15.3796, -25.9193, 0.1792), (0.002680, 0.001628, -0.0000951), 5.1513e-5),
}


def system():
    bodies = []
    for position, velocity, mass in BODIES.values():
        bodies.append((list(position), [v * DAYS for v in velocity], mass * SOLAR_MASS))
    # The centre of mass stays where it is.
    momentum = [sum(v[axis] * mass for _, v, mass in bodies) for axis in range(3)]
    for axis in range(3):
        bodies[0][1][axis] = -momentum[axis] / SOLAR_MASS
    return bodies


def advance(bodies, pairs, dt, steps):
    for _ in range(steps):
        for (pos1, vel1, mass1), (pos2, vel2, mass2) in pairs:
            dx = pos1[0] - pos2[0]
            dy = pos1[1] - pos2[1]
            dz = pos1[2] - pos2[2]
            mag = dt * (dx * dx + dy * dy + dz * dz) ** -1.5
            pull1 = mass1 * mag
            pull2 = mass2 * mag
            vel1[0] -= dx * pull2
            vel1[1] -= dy * pull2
            vel1[2] -= dz * pull2
            vel2[0] += dx * pull1
            vel2[1] += dy * pull1
            vel2[2] += dz * pull1
        for pos, vel, _ in bodies:
            pos[0] += dt * vel[0]
            pos[1] += dt * vel[1]
            pos[2] += dt * vel[2]


def energy(bodies, pairs):
    total = 0.0
    for _, (vx, vy, vz), mass in bodies:
        total += 0.5 * mass * (vx * vx + vy * vy + vz * vz)
    for (pos1, _, mass1), (pos2, _, mass2) in pairs:
        distance = sum((a - b) ** 2 for a, b in zip(pos1, pos2)) ** 0.5
        total -= mass1 * mass2 / distance
    return total


def run(n):
    bodies = system()
    pairs = [(a, b) for idx, a in enumerate(bodies) for b in bodies[idx + 1 :]]
    before = energy(bodies, pairs)
    advance(bodies, pairs, 0.01, n)
    return "%.9f %.9f" % (before, energy(bodies, pairs))
