"""f-strings, format specifications of each type, percent formatting, str.format, repr, nested fields, conversions."""
import datetime
import decimal

name, value, width = "adder", 3.14159265, 12
print(f"{name!r:>10}|{name:^11}|{name:*<8}|{name:.2}|{name!a}|{name!s:5}|")
print(f"{value:.3f} {value:10.2e} {value:+g} {value:%} {value:08.3f} {value:,.1f} {value!r:.4} {value:_^{width}.3f}")
print(f"{value=} {value=:.2f} {name = } {1+1=} {name=!s:>8}")
for number in (0, 7, -42, 255, 10**20, True):
    print(f"{number:d} {number:+d} {number: d} {number:b} {number:#x} {number:o} {number:#010b} {number:,} {number:_} {number:e} {number:>8}|{number:<8}|{number:^8}|{number:=+8}|")
for number in (0.0, -0.0, 1.0, 1e16, 1e15, 1.5e-7, 0.0001, 123456789.123, float("inf"), float("-inf"), float("nan"), 1e308 * 10, 2**0.5, 1 / 3, 5e-324, 1.7976931348623157e308):
    print(repr(number), f"{number:g} {number:.3g} {number:f} {number:.0f} {number:e} {number:n} {number:10} {number:#.3g} {number:G} {number:z.1f}")
print("{0} {1} {0} {k[a]} {o.real}".format(1, 2, k={"a": 3}, o=4j))
print("{:{}{}}".format("x", ">", 5), "{!r:^7}".format("q"), "{{}}", "{:c}".format(97), "{:%Y-%m-%d}".format(datetime.date(2026, 1, 2)))
print("%d %5d|%-5d|%05d %+d % d %x %X %#x %o %c %c %%" % (1, 2, 3, 4, 5, 6, 255, 255, 255, 8, 65, "z"))
print("%s %r %a %10s|%-10s|%.2s" % ("s", "r", "é", "right", "left", "cut"), "%f %.2f %e %g %G %10.3f|%-10.1f|" % ((1.5,) * 7))
print("%(a)s %(b)05.1f" % {"a": 1, "b": 2.25}, "%*d|%-*d|%.*f" % (5, 1, 5, 2, 2, 3.14159), b"%s %d %a" % (b"x", 3, "y"))
print(f"{'nested ' + f'{name.upper()}'} {[x for x in range(3)]} {{literal}} {(lambda x: x * 2)(4)} {'a' if value > 3 else 'b'}")
print(f"""multi
{name
 .title()
} line""", f"{'\n'.join(['a', 'b'])}", f'{f"{f'{1}'}"}')
print(f"{3.0} {3} {1e100} {1j} {-2.5+3j:.1f} {None} {...} {[1.0, 'a', None]} {(1,)} { {1} } {dict(a=1)}")
print(repr("quote ' and \" both"), repr('only "'), repr("only '"), repr("\x00\x7f\x80\xa0\u200b\U0001f600\ud800\\\n\t"), ascii("é漢😀"))
print(repr(b"bytes ' \" \x00\xff\n\\"), repr(bytearray(b"x")), str(b"x"), repr([[]]), repr({1: {2: (3, [4])}}), repr({1}), repr(frozenset()), repr(set()))


class Formats:
    def __format__(self, spec):
        return f"<{spec}>"

    def __str__(self):
        return "str"

    def __repr__(self):
        return "repr"


print(f"{Formats()} {Formats():abc} {Formats()!s} {Formats()!r:>6} {Formats()!s:>5}", "%s %r" % (Formats(), Formats()))
for spec, thing in (("d", "x"), ("s", 1), (".2d", 1), ("q", 1.0), ("10", None), (",_", 1), ("x", 1.5), ("c", -1)):
    try:
        print(format(thing, spec))
    except Exception as err:
        print(type(err).__name__, err)
print(format(decimal.Decimal("1234.5678"), ",.2f"), format(datetime.timedelta(days=1, seconds=5)), str(datetime.datetime(2026, 1, 2, 3, 4, 5, 6)))
print(str(10**25), str(-(10**25)), hex(10**25), bin(-10), oct(64), int("0x1f", 16), int("-0b101", 0), int(" 42 "), int("1_000"), float("1e-3"), complex("1+2j"))
recursive = [1]
recursive.append(recursive)
mapping = {}
mapping["self"] = mapping
print(recursive, mapping)
template = t"hello {name!r:>10} {value:.2f}"
print(template.strings, [(i.value, i.expression, i.conversion, i.format_spec) for i in template.interpolations])
