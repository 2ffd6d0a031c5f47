# Integers: every operator on a grid of sizes, texts, bytes, subclasses, and the errors' words.
import operator as op


def show(label, f, *args, **kwargs):
    try:
        result = f(*args, **kwargs)
        text = repr(result)
        if type(result) not in (int, bool, float, str, bytes, tuple):
            text = type(result).__name__ + " " + text
    except Exception as e:
        text = f"{type(e).__name__}: {e}"
    print(label, text)


values = [0, 1, -1, 2, -7, 10, 255, 256, 257, -5, -6, 2**29, 2**30 - 1, 2**30, -2**30, 2**31, 2**59 + 12345,
          2**60 - 1, 2**60, -2**60, 2**63 - 1, 2**63, -2**63, -2**63 - 1, 2**64, 2**89, -2**90 + 1, 10**30,
          -10**40, 3**200, -7**150, 2**1000 - 1]
binary = [op.add, op.sub, op.mul, op.floordiv, op.mod, divmod, op.and_, op.or_, op.xor]
for f in binary:
    for a in values:
        for b in values:
            try:
                r = f(a, b)
            except ZeroDivisionError as e:
                r = str(e)
            if f is divmod and isinstance(r, tuple):
                assert r[0] * b + r[1] == a and (r[1] == 0 or (r[1] < 0) == (b < 0))
            print(f.__name__, hash(r) if len(str(r)) > 40 else r)
for f in (op.lt, op.le, op.eq, op.ne, op.gt, op.ge):
    print(f.__name__, "".join(str(int(f(a, b))) for a in values for b in values))
for a in values:
    print(a if abs(a) < 10**50 else hash(a), -a == 0 - a, ~a == -1 - a, abs(a) >= 0, hash(a), a.bit_length(), a.bit_count(),
          bool(a), hex(a)[-30:], oct(a)[-30:], bin(a)[-30:], a.__sizeof__(), a.as_integer_ratio() == (a, 1))
    for s in (0, 1, 5, 29, 30, 31, 60, 100, 1200):
        r = a >> s
        assert a << s == a * 2**s and r == a // 2**s
        print(r if len(str(r)) < 40 else hash(r), end=" ")
    print()
    show("float", float, a)
    show("true", op.truediv, a, 7)
    show("true", op.truediv, 3**150, a)
show("div", op.truediv, 10**400, 10**399)
show("div", op.truediv, 10**400, 3)
show("div", op.truediv, 3, 10**400)
show("div", op.truediv, 5, 2**1076)
show("div", op.truediv, 2**1100 + 1, 2**1060)
show("div", op.truediv, -(2**1030), 2**1029 + 1)
for a, b in [(2, 0), (0, 0), (2, 10), (-3, 3), (-3, 4), (10, 50), (1, 10**20), (-1, 10**20 + 1), (2, 200), (-8, 41), (7, -2), (3**40, 5)]:
    show(f"{a}**{b}", pow, a, b)
show("0**-1", pow, 0, -1)
for a, b, m in [(2, 10, 7), (2, 10, -7), (-3, 5, 11), (3, -1, 7), (3, -2, -7), (2, -1, 4), (5, 0, 1), (5, 3, 1), (5, -3, 1), (0, 0, 5),
                (2, 3, 0), (10**30, 10**20, 10**25 + 7), (7, 10**5, 2**61 - 1), (-5, 3, 2**70), (2, 1.0, 3), (2, 3, 1.5), (3, -1, 2**64 + 1)]:
    show(f"pow({a},{b},{m})", pow, a, b, m)
show("shift", op.lshift, 1, -1)
show("shift", op.rshift, 1, -1)
show("shift", op.lshift, 1, 2**70)
show("shift", op.lshift, 0, 2**70)
show("shift", op.rshift, -5, 2**70)
show("shift", op.rshift, 5, 2**70)
show("shift", op.lshift, 1, 1.0)
for n in (0, 1, 15, 25, 35, -15, -25, 150, 249, 250, 251, 10**25 + 5, -(10**25) - 5):
    for d in (None, 0, 1, -1, -2, -3, -25, -26, -30):
        show(f"round({n},{d})", round, n, d)
show("round", round, 5, "a")
for text in ["", "0", " 12 ", "+5", "-0", "1_000", "_1", "1_", "1__0", "0x1f", "\u0661\u0662", "\u20035\u2003", "abc", "1 2", "\x1c1", "9" * 50, "-" + "7" * 60, "\ud800", "12\n"]:
    show(repr(text), int, text)
for text, base in [("0x1f", 0), ("0b101", 0), ("0o17", 0), ("017", 0), ("00", 0), ("1f", 16), ("0X_1f", 16), ("zz", 36), ("12", 2), ("1", 1), ("1", 37), ("1", -1),
                   ("1", 2**70), (b"0x10", 16), (bytearray(b"77"), 8), (12, 10), ("0x", 0), ("q" * 300, 10), ("1", "a"), (b"1", None)]:
    show(f"{text!r:.40},{base}", int, text, base)
show("kw", int, "10", base=2)
show("kw", int, x=1)
show("kw", int, base=2)
show("kw", int, "1", foo=2)
show("n", int, 1, 2, 3)
for bad in ([], None, 1j, b"", object):
    show(f"int({bad!r})", int, bad)
show("b", int, b"12")
show("b", int, b" -1_2 ")
show("nan", int, float("nan"))
show("inf", int, float("-inf"))
show("f", int, -1e300)
show("f", int, 2.0**62 + 1024)
show("limit", int, "1" * 5000)
show("limit", str, 10**5000)
show("nolimit", len, hex(10**5000))
show("nolimit", len, str(10**4299))

for n in (0, 1, -1, 127, 128, -128, -129, 255, 256, 65535, 2**30, -2**30, 2**64 - 1, -2**63, 10**20):
    for length in (0, 1, 2, 8, 9):
        for order in ("big", "little"):
            for signed in (False, True):
                try:
                    b = n.to_bytes(length, order, signed=signed)
                    assert int.from_bytes(b, order, signed=signed) == n
                    print(b.hex(), end=" ")
                except OverflowError as e:
                    print(e, end=" ")
    print()
show("tb", (5).to_bytes)
show("tb", (5).to_bytes, -1)
show("tb", (5).to_bytes, 1, "x")
show("tb", (5).to_bytes, 1, 3)
show("tb", (5).to_bytes, byteorder="little", length=3)
show("fb", int.from_bytes, [1, 2, 3])
show("fb", int.from_bytes, "abc")
show("fb", int.from_bytes, 5)
show("fb", int.from_bytes, b"\xff\xfe", "little", signed=True)
show("fb", int.from_bytes, b"", signed=True)


class I(int):
    def __repr__(self):
        return f"I({int(self)})"


i = I(5)
print(i, i + 1, type(i + 1), type(+i), type(-i), type(int(i)), type(i.real), i.__getnewargs__(), type(I.from_bytes(b"\x05")), I("12", 8), I(2**100))
print(I(7).numerator, I(7).denominator, I(7).imag, i.conjugate(), i == 5, hash(i), {5: 1}[i], i is I(5))
print(type(round(I(3))), type(I(3).__trunc__()), type(I(True)))


class X:
    def __index__(self):
        return 42


class Y:
    def __int__(self):
        return 43


class Z:
    def __int__(self):
        return "x"


show("X", int, X())
show("Y", int, Y())
show("Z", int, Z())
show("hex", hex, X())
show("hex", hex, 1.5)
show("add", op.add, 5, "a")
show("sub", op.sub, "a", 5)
show("lt", op.lt, 5, "a")
show("and", op.and_, 5, 1.0)
print((5).__add__(1.0), (5).__add__(2), (5).__radd__(2), (5).__pow__(2), (5).__pow__(2, 7), (5).__divmod__(2), (5).__eq__("a"), (5).__rsub__(2))
for spec in ["", "d", "b", "o", "x", "X", "#x", "#b", "c", "n", ",", "_", "_x", "10", "<10", "^10", "=+10", "010", "e", ".2f", "%", "+", " ", ",.1f", "s", "q", ".3", "z", "#c", "+c", "020,", "020_b"]:
    show(f"{spec!r}", format, 1234, spec)
    show(f"{spec!r}", format, -98765432109876543210, spec)

print(True + True, True & False, True & 3, True | False, True ^ True, True ^ 1, -True, +True, not True, repr(True), str(False), bool("") is False)
print(isinstance(True, int), bool.__mro__, True == 1, hash(True), int(True), True.real, type(True.real), type(True.conjugate()))
show("b", bool, 1, 2)
show("b", bool, x=1)
show("b", op.and_, True, 1.0)
show("b", bool.__new__, int)
show("b", int.__new__, bool, 1)
show("b", lambda: type("B", (bool,), {}))
print(f"{True:d} {True!s:>6} {True:5} {True:x}", format(True, ""), "%d" % True, bool.from_bytes(b"\x00"))
print([x is y for x, y in [(int("256"), int("25" + "6")), (int("-5"), -5)]])
