# Floats and complex numbers: operators, texts, rounding, hexadecimal forms, and the errors' words.
import operator as op

inf, nan = float("inf"), float("nan")


def show(label, f, *args, **kwargs):
    try:
        text = repr(f(*args, **kwargs))
    except Exception as e:
        text = f"{type(e).__name__}: {e}"
    print(label, text)


values = [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 3.0, 7.25, 1e-5, 1e16, 1e17, 123456789.125, 1e22, 1e300, -1e300, 5e-324, 1.7976931348623157e308,
          inf, -inf, nan, 2, -3, 0, 10**20]
for f in (op.add, op.sub, op.mul, op.truediv, op.floordiv, op.mod, divmod, pow):
    for a in values:
        for b in values:
            if isinstance(a, int) and isinstance(b, int):
                continue
            try:
                r = repr(f(a, b))
                if "j" in r:
                    r = "%.12g %.12g" % (f(a, b).real, f(a, b).imag)
            except (ZeroDivisionError, OverflowError) as e:
                r = str(e)
            print(f.__name__, r)
compared = values + [2**53, 2**53 + 1, 2**54 + 1, float(2**53), float(2**54), 10**400, -10**400, 2**1023, 2.0**1023, 2**1023 + 1, 123456789, True]
for f in (op.lt, op.le, op.eq, op.ne, op.gt, op.ge):
    print(f.__name__, "".join(str(int(f(a, b))) for a in compared for b in compared))
for a in values:
    a = float(a)
    h = "nan" if a != a else hash(a)
    print(a, repr(a), h, a.hex(), a.is_integer(), bool(a), abs(a), -a, +a)
    show("ratio", a.as_integer_ratio)
    show("int", int, a)
    show("trunc", a.__trunc__)
    show("floor", a.__floor__)
    show("ceil", a.__ceil__)
    for n in (None, 0, 1, 2, -1, -2, -20, 400, -400):
        show(f"round {n}", round, a, n)
for x, n in [(2.675, 2), (0.125, 2), (0.375, 2), (50.0, -2), (150.0, -2), (51.0, -2), (5e22, -23), (1.7e308, -308), (12345.678, 1), (-0.5, 0), (0.5, 0), (1e23, -22)]:
    show(f"round({x},{n})", round, x, n)
show("round", round, 1.5, "a")
for text in ["1.5", " 1.5 ", "1_0.0_1", "1__0", "_1", "1_", ".5", "5.", ".", "e5", "1e5", "1e", "+1", "--1", "inf", "-Infinity", "NaN", "infin", "nan1", "1e400", "-1e400", "1e-400", "",
             "0x10", "\u0661.\u0665", "1 2", "1\x00", "4.9e-324", "2.4e-324", "2.5e-324", "1.7976931348623158e308", "1.7976931348623159e308", b"1.5", bytearray(b"2"), b"x", [], None]:
    show(f"float({text!r})", float, text)
show("kw", float, x=1)
show("n", float, 1, 2)
show("big", float, 10**400)
for text in ["0x1p-1074", "0x1p-1075", "0x1.8p-1075", "0x1.fffffffffffff8p1023", "0x1.fffffffffffff7fp1023", "0x1p1024", "1.8", ".8", ".", "", "0x", "inf", "nan", "-0x0p0", " 0x1p0 ", "0x1 p0", "0x1p",
             "0x1.00000000000008p0", "0x1.00000000000018p0", "0x1p99999999999999999999", "0x0p99999999999999999999", "1e5"]:
    show(f"fromhex({text!r})", float.fromhex, text)
show("fn", float.from_number, 3)
show("fn", float.from_number, "3")
show("gf", float.__getformat__, "double")
show("gf", float.__getformat__, "x")


class F(float):
    pass


f = F(1.5)
print(f, repr(f), type(f + 1), type(+f), type(float(f)), F.fromhex("0x1p3"), type(F.fromhex("1")), f.__getnewargs__(), type(F.from_number(1)), f.real, f.imag, type(f.conjugate()), hash(f) == hash(1.5))
f.x = 1
print(f.__dict__)


class HasFloat:
    def __float__(self):
        return 2.5


class HasIndex:
    def __index__(self):
        return 7


class Bad:
    def __float__(self):
        return "x"


for c in (HasFloat, HasIndex, Bad):
    show(c.__name__, float, c())
for spec in ["", "f", ".0f", ".3f", "e", ".2E", "g", ".3g", "#.3g", "n", "%", ".1%", "10.2f", "<10", "^10.1f", "+", " .1f", "010.2f", "=+10", ",", "_", ",.2f", "015,.2f", "z.0f", ".3", "#.0f", "*^20,.3f", ".6_f", "d", "x",
             "s", "c", ".,", "F", "G", "08.1%", ".400f"]:
    for v in (0.0, -0.04, 1234567.891, 1e-7, 1e22, inf, nan):
        show(f"{v} {spec!r}", format, v, spec)
print("%.3f %e %g %r %s %10.2f|%-10.1f|%+d|%05.1f" % (1.0005, 12345.678, 1e-10, 0.1, 1e16, 3.14159, 2.5, 3, -2.25))

# complex
cs = [0j, 1j, -1j, 1 + 2j, -2.5 + 0.5j, complex(-0.0, -0.0), complex(0.0, -0.0), complex(inf, 1), complex(1, -inf), complex(inf, nan), complex(nan, 0), 3, 2.5, -0.0, 0, inf]
for f in (op.add, op.sub, op.mul, op.truediv, op.eq):
    for a in cs:
        for b in cs:
            if not isinstance(a, complex) and not isinstance(b, complex):
                continue
            try:
                r = f(a, b)
            except ZeroDivisionError as e:
                r = e
            print(f.__name__, r)
for a, b in [(1j, 2), (1 + 1j, 3), (2 + 0j, -2), (0j, 0), (0j, 2), (1 + 2j, 0), (1 + 2j, 100), (2 + 0j, 0.5), (1j, 1j), (2, 1j)]:
    r = a**b
    print("pow", "%.10g %.10g" % (r.real, r.imag))
show("pow", pow, 0j, -1)
show("pow", pow, 0j, 1j)
show("pow", pow, 1j, 2, 3)
show("pow", pow, 1e200 + 0j, 2)
show("lt", op.lt, 1j, 2)
show("fd", op.floordiv, 1j, 2)
show("mod", op.mod, 1j, 2)
show("int", int, 1j)
show("float", float, 1j)
show("abs", abs, 3 + 4j)
show("abs", abs, complex(1.7e308, 1.7e308))
show("abs", abs, complex(nan, inf))
for a in cs:
    a = complex(a)
    print(repr(a), str(a), bool(a), -a, +a, a.conjugate(), a.real, a.imag, a.__getnewargs__(), hash(a) if a == a else "nan")
print(hash(1 + 2j), hash(complex(-1, -1)), hash(3 + 0j) == hash(3), 3 + 0j == 3, complex(2**53) == 2**53 + 1)
for text in ["1+2j", "(1+2j)", " ( 1+2j ) ", "1 + 2j", "j", "-j", "+J", "1j", "1", "1e5-2e-3j", "nan+infj", "1+j", "1-j", "1_0+2_0j", "1+2", "1+2j3", "(1+2j", "1+2j)", "", "()", "\u0661j", "1jj", "x", "1e400j", "infj", "1.5+.5j"]:
    show(f"complex({text!r})", complex, text)
show("c", complex)
show("c", complex, 1, 2)
show("c", complex, real=1)
show("c", complex, imag=2)
show("c", complex, real="1")
show("c", complex, "1", 2)
show("c", complex, 1, "2")
show("c", complex, b"1")
show("c", complex, [])
show("c", complex, 1, 2, 3)
show("c", complex, x=1)
show("c", complex, HasFloat())
show("c", complex, HasIndex(), HasFloat())
show("c", complex.from_number, 3)
show("c", complex.from_number, "3")


class HasComplex:
    def __complex__(self):
        return 5 + 6j


show("c", complex, HasComplex())
show("c", complex.from_number, HasComplex())


class C(complex):
    pass


c = C(1, 2)
print(c, type(c + 1), type(+c), type(c.__complex__()), type(complex(c)), C("1+1j"), C(c) == c)
for spec in ["", "f", ".2f", "e", "g", ".3", "20", "<20.1f", "^20", "+", "010", "=10", "%", "d", ",", ",.2f", "z", "#"]:
    for v in (1 + 2j, -1.5j, complex(1234567, -0.0)):
        show(f"{v} {spec!r}", format, v, spec)
