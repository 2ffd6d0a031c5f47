"""Exceptions: hierarchy, finally, else, chaining, notes, groups, custom classes, attributes of the built-in ones."""
import sys
import traceback


def order(kind):
    log = []
    try:
        try:
            log.append("try")
            if kind == "raise":
                raise ValueError("v")
            if kind == "return":
                return log
            if kind == "other":
                raise KeyError("k")
        except ValueError as err:
            log.append(f"except {err}")
        else:
            log.append("else")
        finally:
            log.append("finally")
    except LookupError as err:
        log.append(f"outer {err!r}")
    return log


for kind in ("none", "raise", "return", "other"):
    print(kind, order(kind))


def chain():
    try:
        try:
            1 / 0
        except ZeroDivisionError as err:
            raise ValueError("second") from err
    except ValueError as err:
        try:
            raise RuntimeError("third")
        except RuntimeError as last:
            return err, last


err, last = chain()
print(repr(err.__cause__), repr(err.__context__), err.__suppress_context__, repr(last.__context__))
try:
    try:
        raise KeyError("hidden")
    except KeyError:
        raise TypeError("shown") from None
except TypeError as err:
    print(err.__suppress_context__, repr(err.__context__))


class Custom(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code

    def __str__(self):
        return f"[{self.code}] {self.args[0]}"


try:
    raise Custom(7, "custom")
except Custom as err:
    err.add_note("a note")
    err.add_note("another")
    print(err, repr(err), err.__notes__, err.args)
    print("".join(traceback.format_exception_only(err)), end="")
try:
    err
except NameError as gone:
    print(gone)

for attempt in (
    lambda: [][1],
    lambda: {}["missing"],
    lambda: int("x"),
    lambda: None.attribute,
    lambda: "a" + 1,
    lambda: 1 + "a",
    lambda: undefined_name,
    lambda: (1).real.imaginary,
    lambda: [1, 2].index(5),
    lambda: chr(-1),
    lambda: "é".encode("ascii"),
    lambda: b"\xff".decode("utf-8"),
    lambda: next(iter([])),
    lambda: float("nope"),
    lambda: 2**-1 // 0,
    lambda: len(5),
    lambda: iter(5),
    lambda: 5(),
    lambda: (lambda a: a)(),
    lambda: (lambda a: a)(1, 2),
    lambda: (lambda *, k: k)(),
    lambda: (lambda a: a)(b=1),
    lambda: print(end=1),
    lambda: open("/nonexistent/file"),
    lambda: __import__("no_such_module"),
    lambda: (1, 2) < (1, "a"),
    lambda: {[]: 1},
    lambda: "%d" % "x",
    lambda: "{}".format(),
    lambda: sorted([1, "a"]),
    lambda: [1, 2, 3].pop(10),
    lambda: "abc".join([1]),
    lambda: 10 ** 5000 + 0.5,
    lambda: [].remove(1),
    lambda: object().x,
    lambda: type("T", (), {}).missing,
    lambda: isinstance(1, 1),
    lambda: super().x,
    lambda: range(1, 2, 0),
    lambda: [1, 2, 3][::0],
    lambda: bytes([256]),
    lambda: memoryview(1),
    lambda: a_typo_of_prin,
):
    try:
        attempt()
        print("nothing raised")
    except BaseException as err:
        print(type(err).__name__, "|", err, "|", [cls.__name__ for cls in type(err).__mro__[1:-2]])

try:
    {}["missing"]
except KeyError as err:
    print(err.args, str(err))
try:
    open("/nonexistent/file")
except OSError as err:
    print(err.errno, err.strerror, err.filename, isinstance(err, FileNotFoundError))
try:
    b"\xff".decode("utf-8")
except UnicodeDecodeError as err:
    print(err.encoding, err.object, err.start, err.end, err.reason)
try:
    {}.missing
except AttributeError as err:
    print(err.name, err.obj)
try:
    no_such_name
except NameError as err:
    print(err.name)
try:
    sys.exit(3)
except SystemExit as err:
    print("exit", err.code)

group = ExceptionGroup("many", [ValueError(1), TypeError("t"), ExceptionGroup("inner", [KeyError("k"), ValueError(2)])])
try:
    raise group
except* ValueError as caught:
    print("values", [str(e) for e in caught.exceptions], caught.message)
except* (TypeError, KeyError) as caught:
    print("others", caught.exceptions)
matched, rest = group.split(ValueError)
print(matched, "|", rest, "|", group.subgroup(lambda e: isinstance(e, KeyError)))
try:
    try:
        raise ExceptionGroup("g", [ValueError(1), OSError(2)])
    except* ValueError:
        raise RuntimeError("while handling")
except ExceptionGroup as err:
    print(type(err).__name__, err, [type(e).__name__ for e in err.exceptions])


def frames():
    def inner():
        raise ValueError("deep")

    try:
        inner()
    except ValueError as err:
        tb = err.__traceback__
        names = []
        while tb:
            names.append((tb.tb_frame.f_code.co_name, tb.tb_lineno - frames.__code__.co_firstlineno))
            tb = tb.tb_next
        return names


print(frames(), sys.exc_info())


def reraise():
    try:
        raise ValueError("again")
    except ValueError:
        try:
            raise
        finally:
            print("on the way")


try:
    reraise()
except ValueError as err:
    print(err, len(traceback.extract_tb(err.__traceback__)))


def returns():
    for _ in range(2):
        try:
            return "try"
        finally:
            print("finally before the return")


print(returns())
assert True, "not evaluated"
try:
    assert 1 > 2, "the message"
except AssertionError as err:
    print(repr(err))
try:
    raise ValueError
except ValueError as err:
    print(repr(err), err.args)
for bad in (lambda: exec("raise 5"), lambda: exec("raise ValueError from 5")):
    try:
        bad()
    except TypeError as err:
        print(err)
