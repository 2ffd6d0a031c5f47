"""bytearray in place, buffers, subclasses of str and bytes, pickling, iterators."""
import copy
import pickle


def attempt(function, *args):
    try:
        return function(*args)
    except Exception as e:
        return type(e).__name__, str(e)


b = bytearray(b"0123456789")
b[2:4] = b"abcdef"
print(b, len(b))
b[::3] = b"XXXXX"
del b[1::2]
print(b, attempt(b.__setitem__, slice(0, 4, 2), b"toolong"))
b += b"tail"
b *= 2
b[:0] = range(65, 70)
del b[:3]
b.insert(-1, 33)
print(b, b.pop(), b.pop(0), b.remove(ord("t")), b.index(b"il"), b)
for n in range(2000):
    b.append(n % 256)
while len(b) > 5:
    del b[0]
print(b, b.count(b"\xcc"))
with memoryview(b) as view:
    print(attempt(b.append, 1), attempt(b.clear), attempt(b.extend, b"x"), attempt(b.__delitem__, 0), b.reverse())
    view[0] = 7
b.clear()
print(b, bytearray(3), bytearray("é", "utf-8"), bytearray([1, 2]), bytearray(memoryview(b"ab")), bytearray(b"x" for x in ()), attempt(bytearray, "x"), attempt(bytearray, [300]))
print([attempt(bytes, x) for x in (3, b"a", bytearray(b"b"), [1, 2], memoryview(b"abcdef")[::2], -1, 1.5, "a", [256], None)])


class Name(str):
    def __new__(cls, text, extra):
        self = super().__new__(cls, text)
        self.extra = extra
        return self


class Data(bytes):
    def __bytes__(self):
        return b"own"


name = Name("é漢x", 5)
print(name, len(name), name.extra, name.upper(), type(name.upper()), type(name + ""), type(str(name)), name == "é漢x", hash(name) == hash("é漢x"), {name: 1}["é漢x"], name[1:], name.encode())
print(Name("abc", 1).isascii(), Name("", 2) == "", [*Name("ab", 3)], "-".join([Name("p", 1), Name("q", 2)]), name in "xé漢xx", "%s|%5s" % (name, Name("z", 1)), f"{name:>5}")
data = Data(b"abc")
print(data, bytes(data), data[0], type(data + b""), data.upper(), data == b"abc", hash(data) == hash(b"abc"), Data(3), type(Data.fromhex("41")))


class Index:
    def __index__(self):
        return 1


print("abc"[Index()], b"abc"[Index()], bytes([Index()]), "abc".find("b", Index()), "ab" * Index(), bytes(Index()))
for value in ("aé😀", b"ab\xff", bytearray(b"xy"), ""):
    copies = [pickle.loads(pickle.dumps(value, protocol)) for protocol in range(6)]
    print(all(c == value and type(c) is type(value) for c in copies), copy.deepcopy(value) == value)
for value in ("aé😀", "abc", b"abc", bytearray(b"abc")):
    it = iter(value)
    print(next(it), it.__length_hint__(), type(it).__name__, it.__reduce__()[1:], it.__setstate__(2), list(it), it.__length_hint__(), list(pickle.loads(pickle.dumps(iter(value)))))
print(sorted(["b", "a", "é", "Z", "😀", "漢"]), max("aé"), "a" * 0, "é" * 3, "ab".__mul__(2), attempt("ab".__mul__, "x"), "x".__rmul__(2), "%d" .__mod__(3), "abc".__getnewargs__())
s = "seed"
for n in range(1000):
    s += chr(33 + n % 90)
    if n % 300 == 0:
        s += "é漢"
print(len(s), s[:10], s[-5:], hash(s) == hash("".join(list(s))))
print(str.maketrans("ab", "cd", "x"), "aabxé".translate(str.maketrans({"a": "A", "é": None, "b": 0x1F600})), "abc".translate(["x"] * 98))
print(bytes.maketrans(b"ab", b"xy")[97:99], b"aabb".translate(bytes.maketrans(b"a", b"z"), b"b"), b"a,b".partition(b","), b"x".center(5, b"."), b"\t".expandtabs(4), b"-1".zfill(4))
