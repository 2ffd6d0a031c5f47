"""Makes cases.txt: calls of methods and what CPython 3.14 answers. Run: python3.14 cases.py > cases.txt

A fifth of the calls is kept; `python3.14 cases.py all` gives them all.
"""

import _codecs
import itertools
import sys
import zlib

S = ["", "a", "abc", "  a b\tc \n", "aXbXc", "Straße ſ ŉ", "ΑΣ ὈΔΥΣΣΕΎΣ", "héllo", "\u0100\u0101x", "\U0001F600 a\u0301", "\ud800x", "123", "٣²½",
     "+12", "-", "a\r\nb\rc\n\x0bd\x85e\u2028f", "\x00\x7f\x80\xff", "ǅ ǆ Ǆ", "it's", 'q"s\'', "a\tb\tc", "İI ıi", "ﬁ x", "aaa" * 9]
B = [b"", b"a", b"abc", b"  a b\tc \n", b"aXbXc", b"\x00\xff'\"\\", b"123", b"+12", b"a\r\nb\rc\n", b"aAzZ 9", b"Title Case", b"aaa" * 9]


def calls():
    for s in S:
        for name in ("upper lower title capitalize swapcase casefold isalpha isalnum isascii isdecimal isdigit isnumeric isspace isprintable "
                     "isidentifier islower isupper istitle strip lstrip rstrip split rsplit splitlines expandtabs encode __repr__ __str__ "
                     "__len__ __getnewargs__ __sizeof__").split():
            yield s, name, ()
        for t in ("", "a", "X", "b", "\u0100", "\U0001F600", "aa", "σ", "bXc"):
            for name in "find rfind index rindex count startswith endswith partition rpartition removeprefix removesuffix __contains__ __add__ " \
                        "__eq__ __ne__ __lt__ __ge__ strip rstrip split rsplit join".split():
                yield s, name, (t,)
            yield s, "find", (t, 1, -1)
            yield s, "count", (t, 1)
            yield s, "rfind", (t, -3)
            yield s, "replace", (t, "\u0101-")
            yield s, "replace", (t, "", 1)
            yield s, "split", (t, 1)
            yield s, "rsplit", (t, 1)
        for n in (-1, 0, 3, 7, 8):
            yield s, "center", (n,)
            yield s, "ljust", (n, "*")
            yield s, "rjust", (n, "\u0100")
            yield s, "zfill", (n,)
            yield s, "expandtabs", (n,)
            yield s, "__mul__", (n,)
            yield s, "__getitem__", (n,)
            yield s, "__getitem__", (slice(n, None),)
            yield s, "__getitem__", (slice(None, None, -2),)
            yield s, "split", (None, n)
            yield s, "rsplit", (None, n)
        yield s, "splitlines", (True,)
        yield s, "translate", ({97: "xx", 98: None, 0x68: 0x100, 32: 33},)
        yield s, "join", (["x", "\u0100", "y"],)
        yield s, "join", (("x", 1),)
        for enc in ("utf-8", "latin-1", "ascii", "utf-16", "utf-32", "UTF8", "us-ascii"):
            for err in ("strict", "ignore", "replace", "backslashreplace", "xmlcharrefreplace", "surrogateescape", "surrogatepass"):
                yield s, "encode", (enc, err)
        for spec in ("", ">10", "^10", "*<8", ".2", "5.1"):
            yield s, "__format__", (spec,)
    for f, a in [("%s %r %a", ("é", "é", "é")), ("%d%%", (5,)), ("%5d|%-5d|%05d|%+d|% d", (42, 42, 42, 42, 42)), ("%x %X %#x %#o %o", (255, 255, 255, 8, 8)),
                 ("%.3d", (-5,)), ("%08.3f", (3.14159,)), ("%e %g %G", (1e10, 1e-10, 1e20)), ("%c%c", ("x", 0x100)), ("%(a)s-%(b)05d", ({"a": 1, "b": 2},)),
                 ("%*d", (6, 3)), ("%-*d|", (6, 3)), ("%.*f", (2, 1.005)), ("%s", ()), ("%s", (1, 2)), ("%d", ("x",)), ("%z", (1,)), ("%", (1,)), ("%(a", ({},)),
                 ("%x", (1.5,)), ("%c", ("ab",)), ("%c", (-1,)), ("%5s|%-5s|%.1s", ("ab", "ab", "ab")), ("%#X", (-255,)), ("%#010x", (255,)), ("%-#10x|", (255,)),
                 ("%+.2e", (0.0,)), ("%5%", ()), ("%ld", (3,)), ("%i %u", (1, 2)), ("%s", (1.0,)), ("%010.4d", (-12,)), ("%f", ("x",)), ("%+05d", (7,)), ("% 05d", (7,))]:
        yield f, "__mod__", (a,)
        yield f.encode(), "__mod__", (a,)
    yield b"%b %s", "__mod__", ((b"a", b"b"),)
    yield b"%c%c", "__mod__", ((b"a", 66),)
    yield b"%(a)s", "__mod__", ({b"a": b"z"},)
    yield b"%r %a", "__mod__", (("\u0100", "x"),)
    for f, a in [("{}", (1,)), ("{0}{1}{0}", (1, "a")), ("{!r:>6}", ("x",)), ("{{}}", ()), ("{0[1]}", ([1, 2],)), ("{0[a]}", ({"a": 5},)), ("{:{}}", (1, 5)),
                 ("{:{:{}}}", (1, 2, 3)), ("{0}{}", (1, 2)), ("{}{0}", (1, 2)), ("{", ()), ("}", ()), ("{!x}", (1,)), ("{!}", (1,)), ("{0.}", (1,)), ("{0[}", (1,)),
                 ("{a}", ()), ("{3}", (1,)), ("{0!rx}", (1,)), ("{:>{w}}", (1,)), ("é{}ü", ("\u0100",)), ("{0.real}", (5,)), ("{:d}", ("a",)), ("{0[a]b}", (1,))]:
        yield f, "format", a
    yield "{a}{b[0]}", "format_map", ({"a": 1, "b": [2]},)
    yield "{}", "format_map", ({},)
    for b in B:
        for make in (bytes, bytearray):
            x = make(b)
            for name in ("upper lower title capitalize swapcase isalpha isalnum isascii isdigit isspace islower isupper istitle strip lstrip rstrip split "
                         "rsplit splitlines expandtabs decode hex __repr__ __str__ __len__").split():
                yield x, name, ()
            for t in (b"", b"a", b"X", b"aa", 97, 256, "a", bytearray(b"b")):
                for name in "find rfind index rindex count startswith endswith partition rpartition removeprefix removesuffix __contains__ __add__ " \
                            "__eq__ __ne__ __lt__ __ge__ strip rstrip split rsplit join".split():
                    yield x, name, (t,)
                yield x, "replace", (t, b"--")
                yield x, "find", (t, 1, -1)
            for n in (-1, 0, 3, 8):
                yield x, "center", (n,)
                yield x, "ljust", (n, b"*")
                yield x, "rjust", (n, "x")
                yield x, "zfill", (n,)
                yield x, "expandtabs", (n,)
                yield x, "__mul__", (n,)
                yield x, "__getitem__", (n,)
                yield x, "__getitem__", (slice(n, None),)
                yield x, "__getitem__", (slice(None, None, -2),)
            yield x, "join", ([b"x", bytearray(b"y")],)
            yield x, "join", ([b"x", "y"],)
            yield x, "translate", (bytes(range(255, -1, -1)),)
            yield x, "translate", (None, b"ab")
            yield x, "hex", (":",)
            yield x, "hex", ("-", 2)
            yield x, "hex", ("-", -2)
            yield x, "splitlines", (True,)
    x = bytearray(b"hello")
    for name, args in [("append", (33,)), ("append", (256,)), ("extend", (b"xy",)), ("extend", ([1, 2],)), ("extend", ("a",)), ("insert", (1, 65)), ("insert", (-1, 65)),
                       ("pop", ()), ("pop", (0,)), ("pop", (9,)), ("remove", (108,)), ("remove", (1,)), ("reverse", ()), ("clear", ()), ("copy", ()),
                       ("__setitem__", (0, 65)), ("__setitem__", (9, 65)), ("__setitem__", (slice(1, 3), b"XYZ")), ("__setitem__", (slice(0, 5, 2), b"XYZ")),
                       ("__setitem__", (slice(0, 5, 2), b"X")), ("__delitem__", (0,)), ("__delitem__", (slice(0, 2),)), ("__delitem__", (slice(None, None, 2),)),
                       ("__iadd__", (b"abc",)), ("__imul__", (2,)), ("resize", (7,)), ("resize", (2,)), ("resize", (-1,)), ("__delitem__", (slice(4, 0, -2),)),
                       ("__setitem__", (slice(2, 2), b"")), ("__setitem__", (slice(0, 0), [1, 2])), ("__setitem__", (0, "a"))]:
        yield x, name, args
    for d in (b"\xff", b"\xe2\x82", b"\xed\xa0\x80x", b"a\xf0\x90(b", b"\xc3\xa9", b"ok", b"\xff\xfea\x00", b"\x00\xd8a", b"\x00\xd8aa", b"\x00\xdcaa", b"a", b"+AGE-x+", b"\\x41\\u0100\\n\\q",
              b"\\x1", b"\\", b"+AA", b"\\N{foo", b"\x00\x00\x01\x00", b"\xff\xfe\x00\x00a\x00\x00\x00"):
        for enc in ("utf-8", "ascii", "latin-1", "utf-16", "utf-32"):
            for err in ("strict", "ignore", "replace", "backslashreplace", "surrogateescape", "surrogatepass"):
                yield d, "decode", (enc, err)


def codec_calls():
    data = [b"", b"abc", b"a+AGE-b", b"+AGE", b"+AG", b"+AGE!", b"+2D3eAA-", b"+2D0-", b"+-", b"+!", b"a\xffb", b"+AGEA-x", b"hi +Jjo- \xe4", b"+\xff",
            b"\\x41\\u0101\\U0001F600\\n\\101\\777", b"\\x4", b"\\u12x", b"\\U00110000", b"\\", b"\\\n.", b"\\N", b"\\N{}", b"\xe4\\q", b"\\u", b"\\\\u0101",
            b"\xe2\x82", b"\xf0\x9f\x98", b"\xc3(", b"\xf8x", b"\xed\xb2\x80", b"\xff\xfe", b"\xfe\xff\x00a", b"a\x00b", b"\x00\xd8\x00\xdc", b"\x00\xd8"]
    for d in data:
        for err in ("strict", "replace", "ignore", "backslashreplace", "surrogateescape", "surrogatepass"):
            for name in "utf_7 utf_8 utf_16 utf_16_le utf_16_be utf_32 utf_32_le unicode_escape raw_unicode_escape".split():
                for final in (False, True):
                    yield d, name + "_decode", (err, final)
        for err in ("strict", "replace", "ignore"):
            yield d, "escape_decode", (err,)
        yield d, "escape_encode", ()
        for table in ("".join(map(chr, range(256))), "ab\ufffe", {97: "xy", 98: None, 99: 0x100, 255: -1}):
            yield d, "charmap_decode", ("strict", table)
            yield d, "charmap_decode", ("replace", table)
    for s in S + ["a+b", "\u20ac-", "a\U0001F600~", "\ud83d", "~\\", "x\udcffy", "\udcff\u0100"]:
        for name in "utf_7 unicode_escape raw_unicode_escape".split():
            yield s, name + "_encode", ()
        for err in ("strict", "replace", "ignore", "backslashreplace", "xmlcharrefreplace", "surrogateescape", "surrogatepass"):
            for name in "utf_8 utf_16 utf_16_le utf_16_be utf_32 utf_32_le latin_1 ascii".split():
                yield s, name + "_encode", (err,)
            yield s, "charmap_encode", (err, {97: b"xy", 98: None, 0x100: 33, 63: 63, 255: 256})


def show(value):
    if isinstance(value, slice):
        return f"slice({value.start!r}, {value.stop!r}, {value.step!r})"
    if type(value) is tuple:
        return "(" + ", ".join(map(show, value)) + ("," if len(value) == 1 else "") + ")"
    return ascii(value)


seen = set()
for receiver, name, args in itertools.chain(calls(), codec_calls()):
    original = ascii(receiver)
    key = (original, name, show(args))
    if key in seen:
        continue
    seen.add(key)
    if "all" not in sys.argv and zlib.crc32(repr(key).encode()) % 5:
        continue
    if isinstance(receiver, bytearray):
        receiver = bytearray(receiver)
    try:
        function = getattr(_codecs, name, None) if name.endswith(("_encode", "_decode")) else None
        answer = ascii(function(receiver, *args) if function else getattr(receiver, name)(*args))
        if isinstance(receiver, bytearray):
            answer += " | " + ascii(receiver)
    except Exception as e:
        answer = f"{type(e).__name__}: {ascii(str(e))}"
    print(original, name, show(args), answer, sep="\t")
