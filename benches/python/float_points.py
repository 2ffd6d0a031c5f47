"""Points on a sphere that are made, normalised and compared: objects with slots and float attributes."""

from math import cos, sin, sqrt

N = 500000
QUICK = 200


class Point:
    __slots__ = ("x", "y", "z")

    def __init__(self, angle):
        self.x = sin(angle)
        self.y = cos(angle) * 3
        self.z = self.x * self.x / 2

    def normalise(self):
        length = sqrt(self.x * self.x + self.y * self.y + self.z * self.z)
        self.x /= length
        self.y /= length
        self.z /= length

    def most(self, other):
        self.x = self.x if self.x > other.x else other.x
        self.y = self.y if self.y > other.y else other.y
        self.z = self.z if self.z > other.z else other.z
        return self


def run(n):
    points = [Point(float(i)) for i in range(n)]
    for point in points:
        point.normalise()
    result = points[0]
    for point in points[1:]:
        result = result.most(point)
    return "%.9f %.9f %.9f" % (result.x, result.y, result.z)
