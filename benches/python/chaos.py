"""A fern-like figure drawn by the chaos game over a spline: small vector objects with operators, and a generator of random numbers."""

N = 90000
QUICK = 100


class Vector:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __sub__(self, other):
        return Vector(self.x - other.x, self.y - other.y)

    def __mul__(self, factor):
        return Vector(self.x * factor, self.y * factor)

    def between(self, other, t):
        return self + (other - self) * t

    def length(self):
        return (self.x * self.x + self.y * self.y) ** 0.5


class Curve:
    """A Bezier curve evaluated by repeated interpolation."""

    def __init__(self, *points):
        self.points = points

    def __call__(self, t):
        points = self.points
        while len(points) > 1:
            points = [a.between(b, t) for a, b in zip(points, points[1:])]
        return points[0]


def randoms(seed):
    while True:
        seed = (seed * 1103515245 + 12345) % 2147483648
        yield seed / 2147483648.0


def run(n):
    curves = [
        Curve(Vector(1.6, 0.3), Vector(2.8, 1.7), Vector(0.9, 2.9), Vector(0.1, 1.2)),
        Curve(Vector(3.3, 2.4), Vector(1.1, 4.4), Vector(0.2, 3.0), Vector(0.6, 0.4)),
        Curve(Vector(0.5, 4.6), Vector(4.2, 3.3), Vector(2.6, 0.2), Vector(1.2, 1.9)),
    ]
    chance = randoms(1234)
    width = 64
    picture = [[0] * width for _ in range(width)]
    point = Vector(2.0, 2.0)
    for _ in range(n):
        curve = curves[int(next(chance) * len(curves))]
        point = point.between(curve(next(chance)), 0.35)
        column, row = int(point.x * width / 5), int(point.y * width / 5)
        picture[row][column] += 1
    inked = sum(1 for line in picture for value in line if value)
    densest = max(max(line) for line in picture)
    return "%d %d %.9f" % (inked, densest, point.length())
