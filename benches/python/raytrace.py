"""A scene of balls over a chequered floor, by recursive ray tracing: method calls, float attributes and polymorphism."""

from math import sqrt

N = 200
QUICK = 6


class Vector:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x, self.y, self.z = x, y, z

    def plus(self, other):
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def minus(self, other):
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def scaled(self, factor):
        return Vector(self.x * factor, self.y * factor, self.z * factor)

    def dot(self, other):
        return self.x * other.x + self.y * other.y + self.z * other.z

    def unit(self):
        return self.scaled(1.0 / sqrt(self.dot(self)))

    def mirrored(self, normal):
        return self.minus(normal.scaled(2 * self.dot(normal)))


class Ball:
    def __init__(self, centre, radius, colour, shine):
        self.centre, self.radius, self.colour, self.shine = centre, radius, colour, shine

    def distance(self, origin, direction):
        towards = self.centre.minus(origin)
        along = towards.dot(direction)
        square = self.radius * self.radius - (towards.dot(towards) - along * along)
        if square < 0:
            return None
        return along - sqrt(square)

    def normal(self, point):
        return point.minus(self.centre).unit()

    def colour_at(self, point):
        return self.colour


class Floor:
    shine = 0.1

    def distance(self, origin, direction):
        if direction.y > -1e-6:
            return None
        return -origin.y / direction.y

    def normal(self, point):
        return Vector(0.0, 1.0, 0.0)

    def colour_at(self, point):
        return Vector(0.9, 0.9, 0.8) if (int(point.x + 100) + int(point.z + 100)) % 2 else Vector(0.1, 0.2, 0.1)


class Scene:
    def __init__(self, things, light):
        self.things, self.light = things, light

    def nearest(self, origin, direction):
        best, best_distance = None, 1e9
        for thing in self.things:
            distance = thing.distance(origin, direction)
            if distance is not None and 1e-4 < distance < best_distance:
                best, best_distance = thing, distance
        return best, best_distance

    def colour(self, origin, direction, depth):
        thing, distance = self.nearest(origin, direction)
        if thing is None:
            return Vector(0.3, 0.5, 0.7).scaled(1 - abs(direction.y))
        point = origin.plus(direction.scaled(distance))
        normal = thing.normal(point)
        to_light = self.light.minus(point).unit()
        brightness = 0.15
        if self.nearest(point, to_light)[0] is None:
            brightness += max(0.0, normal.dot(to_light)) * 0.85
        colour = thing.colour_at(point).scaled(brightness)
        if depth > 0 and thing.shine:
            mirror = self.colour(point, direction.mirrored(normal), depth - 1)
            colour = colour.scaled(1 - thing.shine).plus(mirror.scaled(thing.shine))
        return colour


def run(n):
    things = [Floor()]
    for idx in range(6):
        place = Vector(idx * 1.5 - 4.0, 1.0 + idx % 3 * 0.4, 6.0 + idx % 2)
        things.append(Ball(place, 0.8, Vector(0.2 + idx * 0.1, 0.9 - idx * 0.1, 0.5), 0.3))
    scene = Scene(things, Vector(-5.0, 8.0, -2.0))
    eye = Vector(0.0, 1.6, -3.0)
    red = green = blue = 0.0
    for row in range(n):
        for column in range(n):
            direction = Vector((column - n / 2) / n, (n / 2 - row) / n, 1.0).unit()
            colour = scene.colour(eye, direction, 3)
            red, green, blue = red + colour.x, green + colour.y, blue + colour.z
    return "%.6f %.6f %.6f" % (red, green, blue)
