"""match: literals, captures, sequences, mappings, classes, guards, alternatives, stars, names with dots, nesting."""
from dataclasses import dataclass
from enum import Enum


@dataclass
class Point:
    x: int
    y: int


class Colour(Enum):
    RED = 1
    BLUE = 2


class Limits:
    HIGH = 100


def describe(value):
    match value:
        case 0 | -1:
            return "zero or minus one"
        case True:
            return "true"
        case None:
            return "none"
        case Limits.HIGH:
            return "the limit"
        case int(n) if n > 1000:
            return f"large {n}"
        case int() | float() as number:
            return f"number {number}"
        case "yes" | "no" as word:
            return f"answer {word}"
        case str(text):
            return f"text {text}"
        case []:
            return "empty sequence"
        case [x]:
            return f"one {x}"
        case [1, *rest]:
            return f"one and {rest}"
        case (first, [*inner], *_, last):
            return f"{first} {inner} {last}"
        case [Point(x=0, y=0), *_]:
            return "starts at the origin"
        case Point(0, y):
            return f"on the y axis at {y}"
        case Point(x, y) if x == y:
            return f"diagonal {x}"
        case Point():
            return "a point"
        case {"kind": "circle", "radius": r}:
            return f"circle {r}"
        case {"kind": kind, **rest}:
            return f"{kind} with {sorted(rest)}"
        case {}:
            return "a mapping"
        case Colour.RED:
            return "red"
        case Colour() as other:
            return f"colour {other.name}"
        case bytes() as data:
            return f"bytes {data}"
        case _:
            return f"something else {type(value).__name__}"


for value in (0, -1, True, 1, None, 100, 5000, 2.5, "yes", "maybe", [], [7], [1, 2, 3], (1, 2), (4, [5, 6], 7, 8), [Point(0, 0), 1, 2], Point(0, 3), Point(2, 2), Point(1, 2), {"kind": "circle", "radius": 2}, {"kind": "square", "a": 1, "b": 2}, {"x": 1}, {}, Colour.RED, Colour.BLUE, b"x", {1}, range(3), range(0), (9, "text", 1), iter([])):
    print(repr(value) if not hasattr(value, "__next__") else "iterator", "->", describe(value))


def command(text):
    match text.split():
        case ["go", ("north" | "south" | "east" | "west") as direction]:
            return f"going {direction}"
        case ["go", *_]:
            return "where?"
        case ["take", thing, *others] if not others:
            return f"taking {thing}"
        case [verb, *arguments]:
            return f"{verb} {len(arguments)}"
        case _:
            return "nothing"


print([command(text) for text in ("go north", "go up", "take lamp", "take lamp sword", "dance a b c", "")])


def evaluate(tree):
    match tree:
        case ("+", a, b):
            return evaluate(a) + evaluate(b)
        case ("*", a, b):
            return evaluate(a) * evaluate(b)
        case ("neg", a):
            return -evaluate(a)
        case int() | float():
            return tree
        case [("inner", [a, {"k": (b, c)}])]:
            return a + b + c
    return None


print(evaluate(("+", 2, ("*", 3, ("neg", 4)))), evaluate([("inner", [1, {"k": (2, 3), "other": 0}])]), evaluate("x"))
match 1, 2:
    case a, b:
        print(a, b)
match {"a": 1, "b": 2}:
    case {"a": 1, "missing": _}:
        print("no")
    case {"b": int(b)}:
        print("b", b, a)


class Positional:
    __match_args__ = ("one", "two")

    def __init__(self):
        self.one, self.two = 1, 2


for pattern in ("Positional(1, 2, 3)", "Positional(1, one=1)", "Positional(missing=1)", "int(1, 2)", "Positional(1, 2)"):
    code = f"match Positional():\n case {pattern}:\n  print('matched', '{pattern}')\n case _:\n  print('not', '{pattern}')"
    try:
        exec(code)
    except TypeError as err:
        print(err)
match = case = type = 1
print(match + case + type)
