"""Codecs: the registry, error handlers of Python's own and in Python, incremental decoding, escapes, UTF-7, charmaps."""
import codecs


def attempt(function, *args):
    try:
        return function(*args)
    except Exception as e:
        return type(e).__name__, str(e)


for text in ("abc", "é漢😀", "a\udc80b", "\ud800", "İx\n"):
    for encoding in ("utf-8", "utf-16-le", "ascii", "latin-1", "cp1252", "utf-7", "unicode_escape"):
        for errors in ("strict", "ignore", "replace", "backslashreplace", "xmlcharrefreplace", "namereplace", "surrogateescape", "surrogatepass"):
            print(ascii(text), encoding, errors, attempt(text.encode, encoding, errors))
for data in (b"abc", b"\xc3\xa9\xff", b"\xed\xb2\x80", b"\x00\xd8a\x00", b"+AGE-\xff", b"\\x41\\N{DIGIT ONE}\\q"):
    for encoding in ("utf-8", "utf-16-le", "ascii", "cp1252", "utf-7"):
        for errors in ("strict", "ignore", "replace", "backslashreplace", "surrogateescape", "surrogatepass"):
            print(data, encoding, errors, ascii(attempt(data.decode, encoding, errors)))


def stars(error):
    if isinstance(error, UnicodeDecodeError):
        print("  decode", error.encoding, error.object, error.start, error.end, error.reason)
        return "*" * (error.end - error.start), error.end
    print("  encode", error.encoding, ascii(error.object), error.start, error.end, error.reason)
    return "*" * (error.end - error.start), error.end


codecs.register_error("stars", stars)
codecs.register_error("bytes", lambda error: (b"<%d>" % error.start, error.end))
codecs.register_error("back", lambda error: ("?", -1))
codecs.register_error("far", lambda error: ("?", 100))
codecs.register_error("wrong", lambda error: 5)
codecs.register_error("wide", lambda error: ("\u0100", error.end))
print("aé漢b".encode("ascii", "stars"), b"a\xff\xfeb".decode("utf-8", "stars"), "aé漢b".encode("ascii", "bytes"))
for errors in ("far", "wrong", "wide", "nobody", "back"):
    print(errors, attempt("aéb".encode, "ascii", errors), ascii(attempt(b"a\xffb".decode, "utf-8", errors)))
print(codecs.lookup_error("stars") is stars, attempt(codecs.lookup_error, "nobody"), attempt(codecs.register_error, "x", 1))
for name in ("strict", "ignore", "replace", "backslashreplace", "xmlcharrefreplace", "surrogateescape", "surrogatepass"):
    handler = codecs.lookup_error(name)
    print(name, attempt(handler, UnicodeEncodeError("ascii", "a\udc80\u0100", 1, 2, "r")), attempt(handler, UnicodeDecodeError("utf-8", b"a\xff", 1, 2, "r")),
          attempt(handler, UnicodeTranslateError("abc", 1, 2, "r")), attempt(handler, ValueError("v")))

info = codecs.lookup("UTF-8")
print(info.name, codecs.lookup("latin1").name, codecs.lookup("utf_16_LE").name, attempt(codecs.lookup, "nobody"), attempt("a".encode, "rot13"), codecs.encode("abc", "rot13"))
print(codecs.encode(b"abc", "hex"), codecs.decode(b"616263", "hex"), codecs.encode(b"a" * 30, "base64"), attempt(codecs.decode, b"6", "hex"))


def search(name):
    if name == "double_trouble":
        return codecs.CodecInfo(lambda s, e="strict": ((s * 2).encode(), len(s)), lambda b, e="strict": (bytes(b).decode() * 2, len(b)), name="double")


codecs.register(search)
print("ab".encode("Double-Trouble"), b"ab".decode("double trouble"))
codecs.unregister(search)
print(attempt("ab".encode, "double_trouble"))

decoder = codecs.getincrementaldecoder("utf-8")()
print([decoder.decode(bytes([b])) for b in "aé漢😀".encode()], attempt(decoder.decode, b"\xe2", True))
decoder = codecs.getincrementaldecoder("utf-16")()
print([ascii(decoder.decode(bytes([b]))) for b in "a😀".encode("utf-16")])
print(codecs.escape_decode(b"a\\n\\x41\\101\\\n"), codecs.escape_encode(b"\x00\n'\\"), codecs.charmap_encode("ab", "strict", {97: b"xy", 98: 66}), codecs.charmap_decode(b"\x00\x01", "strict", "xy"))
print("a+b~\\é".encode("utf-7"), b"a+-b+AH4AXADp-".decode("utf-7"), codecs.BOM_UTF8.decode("utf-8-sig"), "x".encode("utf-8-sig"), codecs.utf_16_ex_decode(b"\xff\xfea\x00"))
print(str(b"\xe9", "latin-1"), str(bytearray(b"x"), "ascii"), str(memoryview(b"y"), "utf-8"), attempt(str, 5, "utf-8"), attempt(str, "x", "utf-8"), bytes("é", "utf-8", "strict"))
