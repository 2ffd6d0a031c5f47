"""dataclasses, enums, named tuples, typing helpers: what class creation and the library build on it."""
import dataclasses
import enum
import typing
from collections import ChainMap, Counter, OrderedDict, UserDict, defaultdict, deque, namedtuple
from dataclasses import dataclass, field


@dataclass(order=True)
class Version:
    major: int
    minor: int = 0
    tags: list = field(default_factory=list, compare=False)
    cached: int = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        self.cached = self.major * 100 + self.minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    a: int
    b: str = "b"


@dataclass
class Child(Version):
    extra: dataclasses.InitVar[int] = 3
    shared: typing.ClassVar[int] = 9

    def __post_init__(self, extra):
        super().__post_init__()
        self.cached += extra


v = Version(1, 2)
print(v, v < Version(1, 3), v == Version(1, 2, ["x"]), v.cached, [f.type for f in dataclasses.fields(v)])
print(dataclasses.replace(v, minor=9), Child(1, 2, extra=5).cached, [f.name for f in dataclasses.fields(Child)], Child.shared, Version.__match_args__)
frozen = Frozen(a=1)
print(frozen, hash(frozen) == hash(Frozen(a=1)), frozen.__slots__, dataclasses.astuple(frozen))
for attempt in (lambda: setattr(frozen, "a", 2), lambda: Frozen(1), lambda: Version(), lambda: Version(1) < 5, lambda: dataclass(type("Bad", (), {"__annotations__": {"x": list}, "x": []})), lambda: hash(v)):
    try:
        attempt()
    except Exception as err:
        print(type(err).__name__, err)
made = dataclasses.make_dataclass("Made", [("x", int), ("y", int, 5)])
print(made(1), made.__eq__(made(1), made(1)))


class Colour(enum.Enum):
    RED = 1
    GREEN = "g"
    CRIMSON = 1

    @property
    def shout(self):
        return self.name + "!"

    @classmethod
    def _missing_(cls, value):
        return cls.GREEN if value == "fallback" else None


class Bits(enum.Flag):
    A = enum.auto()
    B = enum.auto()
    C = enum.auto()
    AB = A | B


class Number(enum.IntEnum):
    ONE = 1
    TWO = 2


class Text(enum.StrEnum):
    FIRST = enum.auto()
    SECOND = "2nd"


class Planet(enum.Enum):
    EARTH = (5.97, 6.37)
    MARS = (0.64, 3.39)

    def __init__(self, mass, radius):
        self.mass, self.radius = mass, radius


print(Colour.RED, repr(Colour.CRIMSON), Colour("g"), Colour["RED"], list(Colour), Colour.RED.shout, Colour("fallback"), Colour.RED is Colour(1), len(Colour), "g" in Colour)
print(Bits.A | Bits.C, repr(Bits.AB), Bits.A in Bits.AB, ~Bits.A, list(Bits.AB), Bits(0), Bits(7), Bits.A ^ Bits.AB)
print(Number.ONE + 1, Number.TWO > Number.ONE, f"{Number.ONE}", Text.FIRST, Text.SECOND.upper(), Planet.MARS.radius, Planet((5.97, 6.37)), {Colour.RED: 1}[Colour(1)], list(Colour.__members__))
for attempt in (lambda: Colour(5), lambda: Colour["NO"], lambda: setattr(Colour, "RED", 2), lambda: type("Sub", (Colour,), {}), lambda: enum.unique(Colour)):
    try:
        attempt()
    except Exception as err:
        print(type(err).__name__, err)
Point = namedtuple("Point", "x y", defaults=[0])


class Typed(typing.NamedTuple):
    a: int
    b: str = "z"

    def both(self):
        return self.a, self.b


p = Point(1)
print(p, p.x, p._replace(y=5), p._asdict(), Point._fields, Point._make([3, 4]), p == (1, 0), Typed(1), Typed(1).both(), Typed.__annotations__, [*p])
counter = Counter("mississippi")
print(counter.most_common(2), counter["z"], counter - Counter("miss"), sorted(counter.elements())[:3], counter.total(), +Counter(a=1, b=-1))
dd = defaultdict(list)
dd["a"].append(1)
print(dd, dict(dd), "zz" in dd, dd.default_factory)
dq = deque([1, 2, 3], maxlen=3)
dq.append(4)
dq.appendleft(0)
dq.rotate(1)
print(dq, dq[0], dq.pop(), list(reversed(dq)), dq.maxlen, deque("abc") + deque("d"))
od = OrderedDict(a=1, b=2, c=3)
od.move_to_end("a")
print(od, od.popitem(last=False), od == {"a": 1, "c": 3}, ChainMap({"a": 1}, {"a": 2, "b": 3})["b"], dict(ChainMap({"a": 1}, {"b": 2})))


class Upper(UserDict):
    def __setitem__(self, key, value):
        super().__setitem__(key.upper(), value)


print(Upper(a=1), typing.get_type_hints(Version)["minor"], typing.Optional[int], typing.Union[int, str], typing.get_args(dict[str, int]), typing.Literal["a"], typing.Callable[[int], str])


class Proto(typing.Protocol):
    def run(self) -> int: ...


@typing.runtime_checkable
class Checkable(typing.Protocol):
    name: str


class HasName:
    name = "n"


class Movie(typing.TypedDict, total=False):
    title: str
    year: typing.Required[int]


print(isinstance(HasName(), Checkable), isinstance(5, Checkable), Movie(title="t", year=1), sorted(Movie.__required_keys__), typing.cast(int, "x"), typing.NewType("UserId", int)(5))
