# wheels: orjson==3.13.0 rpds-py==2026.9.1
"""orjson: Rust's JSON by PyO3's raw bindings; rpds: persistent maps, lists and sets by PyO3."""
import datetime
import dataclasses
import enum
import uuid

import orjson
from rpds import HashTrieMap, HashTrieSet, List


@dataclasses.dataclass
class Point:
    x: int
    y: float
    tags: list = dataclasses.field(default_factory=list)


class Color(enum.Enum):
    RED = "red"
    BLUE = 3


UTC = datetime.timezone.utc
when = datetime.datetime(2024, 2, 29, 12, 30, 45, 123456, tzinfo=UTC)
values = [
    None, True, False, 0, -1, 2**53, 1.5, 1e300, "text", "snow \u2603 \U0001f600", [1, [2, [3]]], {"a": {"b": []}},
    when, when.replace(tzinfo=None), when.date(), datetime.time(1, 2, 3, 4), Point(1, 2.5, ["p"]), Color.RED, Color.BLUE,
    uuid.UUID(int=5), (1, 2),
]
for value in values:
    print(orjson.dumps(value))
print(orjson.dumps({"b": 1, "a": [1, 2]}, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2).decode())
print(orjson.dumps({1: "int key", None: 2, when.date(): 3}, option=orjson.OPT_NON_STR_KEYS))
print(orjson.dumps(when, option=orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS))
print(orjson.dumps({1, 2}, default=sorted))
for text in ['{"k": [1, 2.5, null, true, "\\u00e9"]}', "[1, 2", '{"a" 1}', "NaN", '"\\ud800"', b"\xff", ""]:
    try:
        print(orjson.loads(text))
    except orjson.JSONDecodeError as error:
        print(type(error).__name__, error, error.pos)
for bad in [object(), 2**70, {1: 2}, "\ud800"]:
    try:
        print(orjson.dumps(bad))
    except orjson.JSONEncodeError as error:
        print(type(error).__mro__[1].__name__, error)
big = {f"key{n}": [n, n / 3, str(n)] for n in range(5000)}
print(orjson.loads(orjson.dumps(big)) == big, len(orjson.dumps(big)))
fragment = orjson.Fragment(b'{"raw": 1}')
print(orjson.dumps([fragment, 2]))

empty = HashTrieMap()
one = empty.insert("a", 1)
two = one.insert("b", 2).insert("a", 3)
print(len(empty), len(one), len(two), one["a"], two["a"], "b" in one, sorted(two.items()))
print(sorted(two.remove("a")), sorted(two.update({"c": 4}).keys()), two == HashTrieMap({"a": 3, "b": 2}))
try:
    two["missing"]
except KeyError as error:
    print("KeyError", error)
numbers = List([1, 2, 3])
print(numbers.push_front(0), numbers.rest, numbers.first, list(reversed(numbers)), hash(numbers) == hash(List([1, 2, 3])))
evens = HashTrieSet(range(0, 20, 2))
print(sorted(evens.intersection(HashTrieSet(range(5)))), 4 in evens, len(evens.insert(5)), len(evens.discard(4)))
print(HashTrieMap({1: 2}), HashTrieSet([1]))
try:
    HashTrieMap({(): []}).insert([], 1)
except TypeError as error:
    print("TypeError", str(error)[:30])
