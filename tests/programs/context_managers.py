"""with: order, suppression, several managers, contextlib, nested failures, async twins are in coroutines.py."""
import contextlib


class Manager:
    def __init__(self, name, suppress=False, fail=None):
        self.name, self.suppress, self.fail = name, suppress, fail

    def __enter__(self):
        print("enter", self.name)
        if self.fail == "enter":
            raise RuntimeError("enter " + self.name)
        return self.name.upper()

    def __exit__(self, kind, value, traceback):
        print("exit", self.name, kind and kind.__name__, value, traceback is not None)
        if self.fail == "exit":
            raise RuntimeError("exit " + self.name)
        return self.suppress


with Manager("a") as a, Manager("b", suppress=True) as (b, *_):
    print(a, b)
    raise ValueError("inside")
print("went on")
with (
    Manager("p") as p,
    Manager("q"),
):
    print(p)


def run(*managers, body=None):
    try:
        with contextlib.ExitStack() as stack:
            for manager in managers:
                stack.enter_context(manager)
            stack.callback(print, "callback", end=".\n")
            if body:
                raise body
        print("done")
    except Exception as err:
        print("out:", repr(err), "context:", repr(err.__context__))


run(Manager("1"), Manager("2"))
run(Manager("1"), Manager("2", fail="enter"))
run(Manager("1", suppress=True), Manager("2", fail="exit"), body=KeyError("k"))
run(Manager("1", fail="exit"), Manager("2", fail="exit"), body=KeyError("k"))


def leave(how):
    for i in range(3):
        with Manager(f"loop{i}"):
            if how == "return":
                return "returned"
            if how == "break":
                break
            if how == "continue" and i < 1:
                continue
            if i == 1:
                break
    return "end"


print(leave("return"), leave("break"), leave("continue"))


@contextlib.contextmanager
def managed(value):
    print("before", value)
    try:
        yield value * 2
    except ZeroDivisionError as err:
        print("swallowed", err)
    finally:
        print("after", value)


with managed(4) as doubled:
    print(doubled)
with managed(5):
    1 / 0
try:
    with managed(6):
        raise LookupError("through")
except LookupError as err:
    print(err)


@managed(7)
def decorated():
    print("decorated")


decorated()
with contextlib.suppress(KeyError, IndexError):
    [][0]
with contextlib.nullcontext(3) as value, contextlib.closing(contextlib.ExitStack()) as stack:
    print(value, type(stack).__name__)
import io

with contextlib.redirect_stdout(io.StringIO()) as text:
    print("captured")
print(repr(text.getvalue()))
for bad in (object(), 5):
    try:
        with bad:
            pass
    except (TypeError, AttributeError) as err:
        print(type(err).__name__, err)


class NoExit:
    def __enter__(self):
        pass


try:
    with NoExit():
        pass
except TypeError as err:
    print(err)
try:
    with Manager("s", suppress=False):
        with Manager("t", fail="exit"):
            raise ValueError("first")
except RuntimeError as err:
    print(err, repr(err.__context__))
