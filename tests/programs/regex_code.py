"""Lists of code for the engine of regular expressions that `re` did not make, and sets that ignore case by the locale."""

import _sre
import re


def try_code(code, groups=0):
    try:
        _sre.compile("x", 0, code, groups, {}, (None,) * (groups + 1))
    except RuntimeError as error:
        print(code, groups, error)
    else:
        print(code, groups, "admitted")


for code in (
    [], [1], [0, 1], [2, 1], [2], [16, 5], [16, 5, 1], [7, 0, 1], [15, 1, 1], [15, 0, 1], [14, 4, 0, 0, 0, 1], [6, 12, 1],
    [24, 5, 0, 1, 2, 1, 1], [24, 6, 0, 1, 16, 9, 1, 1], [24, 6, 2, 1, 16, 9, 1, 1], [17, 0, 1], [17, 2, 1], [11, 0, 1],
    [13, 2, 0, 1], [13, 4, 16, 5, 0, 1], [13, 5, 21, 16, 5, 0, 1], [99, 1], [23, 4, 0, 1, 2, 18, 1],
):
    try_code(code)
for code in [17, 1, 1], [17, 2, 1], [11, 0, 1], [11, 1, 1]:
    try_code(code, 1)

# What re makes is admitted, whatever the construct.
for pattern in (
    r"(a)(?(1)b|c)", r"(a)?(?(1)\x0f)", r"(?>a+)b", r"(?:ab)*+c", r"(?:a|b|cd)+?", r"(?<=ab)c", r"(?<!a)b", r"(?=a)(?!b)\w",
    r"[^\W\d_]{2,5}?", r"[\u4e00-\u9fff\U0001f600]+", r"(?i:K)\s", r"^abc(d)e", r"(?s:.)$", r"x{0,4294967294}", r"(?!)", r"(x)\1",
):
    compiled = re.compile(pattern)
    print(pattern, [match and match.span() for match in map(compiled.search, ("abcde ab", "xx\x0f", "cdcdc", "\u4e2d\u6587K "))])

flags = re.LOCALE | re.IGNORECASE
for pattern in (
    rb"[bc]", rb"[^bc]", rb"[^b-c]", rb"[^b]", rb"[^\wq]", rb"[ace]", rb"[^ace]", rb"(?:a|[^bc])", rb"\w(?<!b)", rb"[a-y]+", rb"[^\W\d]",
):
    print(pattern, bytes(byte for byte in range(0x80) if re.fullmatch(pattern, bytes([byte]), flags)))
