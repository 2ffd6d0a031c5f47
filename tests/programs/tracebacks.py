# compare: stderr
"""A chained traceback as the interpreter prints it at the end, with carets, notes, a cause, and recursion folded."""
import sys
import traceback


def divide(a, b):
    return a / b


def middle(values):
    return [divide(value, 0) for value in values]


class Reader:
    def read(self, mapping):
        return mapping["first"]["second"](1)["third"]


def printed():
    try:
        middle([1])
    except ZeroDivisionError:
        traceback.print_exc()
    try:
        Reader().read({"first": {"second": lambda x: {}}})
    except KeyError as err:
        err.add_note("this is a note")
        traceback.print_exception(err)


printed()


def recurse(n):
    return recurse(n + 1)


sys.setrecursionlimit(80)
try:
    recurse(0)
except RecursionError:
    traceback.print_exc()
sys.setrecursionlimit(1000)

try:
    raise ExceptionGroup("several", [ValueError("one"), ExceptionGroup("nested", [TypeError("two")])])
except ExceptionGroup:
    traceback.print_exc()

def last():
    try:
        middle((1, 2))
    except ZeroDivisionError as err:
        raise RuntimeError("could not divide") from err


try:
    last()
except RuntimeError:
    raise ValueError(
        "while handling: %s" % "the last"
    )
