"""Attributes of every kind: instance, class, slot, property, inherited, __getattr__, set and deleted."""

N = 400000
QUICK = 200


class Base:
    shared = 3
    registry = {}

    def __init__(self, number):
        self.number = number
        self.total = 0
        self.name = "object"

    def method(self, amount):
        self.total += amount * self.shared
        return self.total


class Middle(Base):
    def __init__(self, number):
        super().__init__(number)
        self.extra = number * 2

    @property
    def doubled(self):
        return self.number * 2

    @doubled.setter
    def doubled(self, value):
        self.number = value // 2

    @classmethod
    def scale(cls):
        return cls.shared + 1

    @staticmethod
    def constant():
        return 11


class Leaf(Middle):
    shared = 5

    def method(self, amount):
        return super().method(amount) + self.extra


class Slotted:
    __slots__ = ("a", "b", "c")

    def __init__(self):
        self.a = self.b = self.c = 1

    def step(self):
        self.a, self.b, self.c = self.b, self.c, (self.a + self.b + self.c) % 1000003


class Dynamic:
    def __init__(self):
        self.known = 1

    def __getattr__(self, name):
        if name.startswith("virtual_"):
            return len(name)
        raise AttributeError(name)


def run(n):
    objects = [Base(1), Middle(2), Leaf(3), Leaf(4)]
    slotted = Slotted()
    dynamic = Dynamic()
    checksum = 0
    for turn in range(n):
        for item in objects:
            checksum += item.method(turn & 7)
        leaf = objects[2]
        leaf.doubled = leaf.doubled + 2
        checksum += leaf.number + leaf.scale() + leaf.constant() + dynamic.known
        slotted.step()
        if turn % 8 == 0:
            checksum += dynamic.virtual_thing + getattr(dynamic, "missing", 7)
            leaf.temporary = turn
            checksum += leaf.temporary + hasattr(leaf, "temporary")
            del leaf.temporary
            checksum += len(leaf.__dict__) + (type(leaf).__name__ == "Leaf")
        checksum %= 1000000007
    return "%d %d" % (checksum, slotted.c)
