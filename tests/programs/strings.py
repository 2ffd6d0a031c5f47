"""str and bytes: methods, slices, unicode of each width, encodings, translation, comparison."""
s = "Hello, World"
print(s.upper(), s.lower(), s.swapcase(), s.title(), s.capitalize(), s.casefold(), "ß".upper(), "ǆ".title(), "İ".lower())
print(s.find("o"), s.rfind("o"), s.find("z"), s.index("W"), s.count("l"), s.count(""), s.startswith(("x", "He")), s.endswith("ld", 0, 5))
print(s.replace("l", "L", 2), s.replace("", "-"), s.split(", "), s.partition(","), s.rpartition("x"), "a,b,,c".split(","), "a,b,c".rsplit(",", 1))
print("  a b  c ".split(), "  x ".strip(), "xxaxx".strip("x"), "abcba".lstrip("ab"), "abc".removeprefix("a"), "abc".removesuffix("bc"), "a\nb\r\nc\x0bd\u2028e".splitlines(), "a\nb\n".splitlines(True))
print("-".join("abc"), "x".center(5, "."), "x".ljust(3) + "|", "x".rjust(3), "-5".zfill(4), "a\tb".expandtabs(4), "%s" % "x", "ab" * 3, "a" in "abc", "" in "")
print([("1".isdigit(), "²".isdigit(), "½".isnumeric(), "१".isdecimal()), "a1".isalnum(), "é".isalpha(), " \t".isspace(), "Aa".istitle(), "a_1".isidentifier(), "\n".isprintable(), "é".isascii(), "AB".isupper()])
print(s[0], s[-1], s[2:5], s[::-1], s[::3], s[10:2:-2], s[100:], s[-100:3], s[:-1:4])
wide = "aé漢😀"
print(len(wide), [hex(ord(c)) for c in wide], wide[::-1], wide[1:3], wide.find("😀"), wide.encode(), wide.encode("utf-16-le"), wide.encode("utf-32-be"))
print("é".encode("latin-1"), "é漢".encode("ascii", "replace"), "é漢".encode("ascii", "xmlcharrefreplace"), "é".encode("ascii", "backslashreplace"), "\udc80".encode("utf-8", "surrogateescape"))
print(b"\xc3\xa9\xff".decode("utf-8", "replace"), b"\xff".decode("utf-8", "ignore"), b"\x80".decode("utf-8", "surrogateescape") == "\udc80", b"a\xff".decode("utf-8", "backslashreplace"), b"\xe9".decode("cp1252"))
print("abc".translate({97: "X", 98: None, 99: 100}), "hello".translate(str.maketrans("el", "ip", "o")), str.maketrans({"a": 1}))
print("a" < "b", "a" < "A", "abc" < "abd", "é" > "z", "😀" > "漢", "" < "a", "a" == "a", "a" != b"a", min("hello"), sorted("hello"))
print("{:>5}".format("é"), "é".ljust(3, "漢"), len("é".encode()), "e\u0301" == "é", "\N{GREEK SMALL LETTER ALPHA}\x41\101\u0041")
print(r"raw\n", "con" "cat", """triple "quoted" text""", "line\
continued", 'mixed "quotes"', "\'")
print(int("٣"), "٣".isdigit(), float("١.٥"), "Ⅷ".isnumeric(), "a".join([]), "".join(["x"]), "abc".__contains__("b"), hash("x") == hash("x"))
print("The quick  brown".split(" "), "a--b--c".split("--", 1), "".split(), "".split(","), "abc".partition("b"), "1,2".split(",", 0))
print("tEST".istitle(), "Abc Def".istitle(), "they're bill's".title(), "ﬁ".upper(), "ŉ".upper(), "Σ".lower(), "ΑΣ".lower(), "ﬀ".casefold())
b = b"Hello\x00\xff"
print(b, b[0], b[1:3], b.hex(), b.hex(":"), bytes.fromhex("48 65"), b.find(b"l"), b.find(111), b.upper(), b.replace(b"l", b"LL"), b.split(b"l"), list(b[:3]))
print(bytes(3), bytes([1, 2]), bytes("é", "utf-8"), b"a" + b"b", b"ab" * 2, b"a" < b"b", b"x" in b"axb", 97 in b"a", b"-".join([b"a", b"b"]), b"abc".translate(None, b"b"))
ba = bytearray(b"abc")
ba[0] = 120
ba.append(33)
ba.extend([1, 2])
ba[1:2] = b"---"
del ba[-1]
ba += b"!"
print(ba, ba.pop(), len(ba), ba.find(b"-"), ba.count(b"-"), bytes(ba), ba == bytes(ba), ba[::-1], ba.isalpha())
ba.insert(0, 65)
ba.reverse()
print(ba, ba.decode("latin-1"), ba.copy() is ba)
mv = memoryview(bytearray(b"abcdef"))
mv[1:3] = b"XY"
print(mv.tobytes(), mv[::2].tolist(), mv.format, mv.nbytes, mv.readonly, mv[1:].obj is mv.obj, mv.cast("H").shape, mv == b"aXYdef")
for attempt in (lambda: "a" + b"a", lambda: s.index("z"), lambda: "x" * "y", lambda: s[1.5], lambda: s["a"], lambda: bytes("é"), lambda: ord("ab"), lambda: "a".split(""), lambda: "%d %d" % (1,), lambda: "%z" % 1, lambda: b"a"[5], lambda: bytes.fromhex("4"), lambda: "abc".encode("nope"), lambda: str(b"\xff", "utf-8"), lambda: "a".center(5, "xx"), lambda: setattr(s, "x", 1), lambda: s.__setitem__(0, 1)):
    try:
        print(attempt())
    except Exception as err:
        print(type(err).__name__, err)
text = "".join(chr(c) for c in range(32, 0x250))
print(len(text), sum(map(ord, text.upper())), sum(c.isalpha() for c in text), len(text.split()), len(text.encode("utf-8")), sum(map(ord, text.casefold())))


class Sub(str):
    def __new__(cls, value, extra):
        self = super().__new__(cls, value)
        self.extra = extra
        return self


sub = Sub("text", 5)
print(sub, sub.extra, type(sub + "x").__name__, sub == "text", {sub: 1}["text"], type(str(sub)).__name__, isinstance(sub, str), sub.upper())
