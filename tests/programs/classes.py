"""Classes: construction, inheritance, MRO, super, class and static methods, private names, dunders, __init_subclass__."""


class Base:
    count = 0

    def __new__(cls, *args, **kwargs):
        self = super().__new__(cls)
        self.made_with = (args, kwargs)
        return self

    def __init__(self, name="base", **options):
        type(self).count += 1
        self.name = name
        self.__secret = "hidden"
        self.options = options

    def reveal(self):
        return self.__secret

    def __repr__(self):
        return f"<{type(self).__name__} {self.name}>"

    @classmethod
    def make(cls, *args):
        return cls(*args)

    @staticmethod
    def helper(x):
        return x * 2


class Left(Base):
    def who(self):
        return ["Left"] + (super().who() if hasattr(super(), "who") else [])


class Right(Base):
    def who(self):
        return ["Right"]


class Both(Left, Right):
    def who(self):
        return ["Both"] + super().who()


both = Both.make("b")
print(both, both.who(), [cls.__name__ for cls in Both.__mro__], Base.count, Both.count)
print(both.made_with, both._Base__secret, both.reveal(), Base.helper(4), both.helper("x"))
print(sorted(vars(both)), Base("n", a=1).options, isinstance(both, (int, Right)), issubclass(Both, Base))

try:
    class Impossible(Base, Both):
        pass
except TypeError as err:
    print(type(err).__name__, str(err).split("\n")[0])


class Vector:
    __slots__ = ("x", "y", "__weakref__")
    __match_args__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        if not isinstance(other, Vector):
            return NotImplemented
        return Vector(self.x + other.x, self.y + other.y)

    def __radd__(self, other):
        return self if other == 0 else NotImplemented

    def __iadd__(self, other):
        self.x += other.x
        return self

    def __mul__(self, k):
        return Vector(self.x * k, self.y * k)

    __rmul__ = __mul__

    def __matmul__(self, other):
        return self.x * other.x + self.y * other.y

    def __neg__(self):
        return Vector(-self.x, -self.y)

    def __eq__(self, other):
        return isinstance(other, Vector) and (self.x, self.y) == (other.x, other.y)

    def __hash__(self):
        return hash((self.x, self.y))

    def __lt__(self, other):
        return abs(self) < abs(other)

    def __abs__(self):
        return (self.x**2 + self.y**2) ** 0.5

    def __bool__(self):
        return bool(self.x or self.y)

    def __len__(self):
        return 2

    def __getitem__(self, idx):
        return (self.x, self.y)[idx]

    def __contains__(self, value):
        return value in (self.x, self.y)

    def __call__(self, scale):
        return self * scale

    def __index__(self):
        return int(self.x)

    def __float__(self):
        return float(abs(self))

    def __format__(self, spec):
        return f"({format(self.x, spec)}, {format(self.y, spec)})"

    def __repr__(self):
        return f"Vector({self.x}, {self.y})"

    def __divmod__(self, other):
        return ("divmod", other)

    def __pow__(self, other, modulo=None):
        return ("pow", other, modulo)

    def __rpow__(self, other):
        return ("rpow", other)

    def __rshift__(self, other):
        return ("rshift", other)

    def __reversed__(self):
        return iter((self.y, self.x))


v, w = Vector(3, 4), Vector(1, 2)
print(v + w, sum([v, w]), 2 * v, v * 2, v @ w, -v, v == Vector(3, 4), v != w, {v: 1}[Vector(3, 4)])
print(abs(v), bool(Vector(0, 0)), len(v), list(v), v[-1], 3 in v, 9 in v, v(10), [10, 20, 30, 40][v], float(v))
print(f"{v:.2f}", sorted([v, w]), divmod(v, 3), pow(v, 2, 5), v**2, 2**v, v >> 1, list(reversed(v)), w < v, w > v)
v += w
print(v, hex(v))
for attempt in (lambda: v + 1, lambda: v.z, lambda: setattr(v, "z", 1), lambda: v - w, lambda: v <= w, lambda: ~v):
    try:
        attempt()
    except Exception as err:
        print(type(err).__name__, err)


class Plugin:
    registry = {}

    def __init_subclass__(cls, /, key=None, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.registry[key or cls.__name__] = cls

    def __class_getitem__(cls, item):
        return f"{cls.__name__}[{item}]"


class First(Plugin, key="one"):
    pass


class Second(Plugin):
    pass


print(sorted(Plugin.registry), First[int], Plugin.registry["one"] is First)


class Guarded:
    def __getattr__(self, name):
        return f"made up {name}"

    def __setattr__(self, name, value):
        print("set", name)
        super().__setattr__(name, value)

    def __delattr__(self, name):
        print("delete", name)
        super().__delattr__(name)

    def __getattribute__(self, name):
        if name == "forbidden":
            raise AttributeError(name)
        return super().__getattribute__(name)

    def __dir__(self):
        return ["b", "a"]


guarded = Guarded()
guarded.x = 1
print(guarded.x, guarded.y, guarded.forbidden, dir(guarded))
del guarded.x
print(guarded.x)
guarded.__class__ = type("Renamed", (Guarded,), {"extra": lambda self: "extra"})
print(type(guarded).__name__, guarded.extra(), type(guarded).__qualname__, type(guarded).__module__)


def outer():
    class Local:
        class Inner:
            pass

        def method(self):
            return __class__.__name__

    return Local


print(outer().Inner.__qualname__, outer()().method(), outer().__qualname__)
print(Both.__bases__, Base.__subclasses__(), type(Both), Both.__dict__["who"].__name__, Vector.x)
bound = both.who
print(bound.__self__ is both, bound.__func__ is Both.who, bound == both.who, Both.who(both))
