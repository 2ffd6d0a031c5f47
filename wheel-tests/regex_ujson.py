# wheels: regex==2026.11.15 ujson==6.1.0
"""regex: what it has beyond `re`; ujson: JSON there and back, its options and its errors."""

import math

import regex
import ujson

print(regex.findall(r"(?i)\bstraße\b", "STRASSE Straße strasse", regex.FULLCASE))
print(regex.search(r"(?:cats|cat){e<=1}", "the cxts").group(), regex.fullmatch(r"(?:hello){e}", "helo").fuzzy_counts)
print(regex.match(r"(\w)+", "abc").captures(1), regex.match(r"(?P<word>\w+ ?)+", "a bc d").capturesdict())
print(regex.findall(r"\p{Lu}\p{Ll}+", "Élan Vital ÄÖ Über"), regex.findall(r"[[a-z]--[aeiou]]+", "programming", regex.V1))
print(regex.sub(r"(?<=a)b", "_", "ab cb"), regex.split(r"(?V1)(?=[A-Z])", "oneTwoThree"), regex.findall(r"\X", "e\u0301a"))
print(regex.match(r"(\((?:[^()]|(?1))*\))", "(a(b)c)d").group(), regex.findall(r"a.b", "aXbaYb", overlapped=True))
print(regex.sub(r"(?r)\d{3}", ",", "123456", count=1), regex.search(r"(?|(a)|(b))", "b").groups(), regex.escape("a+b"))
print(regex.compile(r"\L<words>", words=["one", "two"]).findall("two one three"), regex.search(r"x\Ky", "xy").span())
print([match.span() for match in regex.finditer(r"\w+", "ab cd", pos=1)], regex.match("ab", "a", partial=True).partial)
try:
    regex.compile(r"(")
except regex.error as error:
    print(type(error).__name__, error.msg, error.pos)

value = {"text": "h\u00e9 \u20ac \U0001f600 </a>\n", "list": [1, -2.5, 1e100, None, True], "nested": {"a": {}, "b": []}}
print(ujson.dumps(value), ujson.loads(ujson.dumps(value)) == value)
print(ujson.dumps(value, ensure_ascii=False, escape_forward_slashes=False, sort_keys=True))
print(ujson.dumps({"b": 1, "a": [1, 2]}, indent=2, sort_keys=True))
print(ujson.dumps("<&>", encode_html_chars=True), ujson.dumps({1: 2, None: 3}), ujson.dumps((1, 2)), ujson.loads("[1.5e3, 12345678901234567890]"))
print(ujson.dumps([10**30]), ujson.loads(b'{"k": "\\ud83d\\ude00"}'), ujson.dumps({"x": 1}, separators=(", ", ": ")))
for bad in (lambda: ujson.loads("[1,"), lambda: ujson.loads("nope"), lambda: ujson.dumps(math.nan, allow_nan=False), lambda: ujson.dumps(object), lambda: ujson.dumps(b"x", reject_bytes=True)):
    try:
        print(bad())
    except Exception as error:
        print(type(error).__name__, str(error)[:60])
print(ujson.dumps({"d": complex}, default=str))
