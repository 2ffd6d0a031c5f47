"""Frames, tracing, profiling, monitoring, code objects, globals(), exec and eval, attributes of functions, inspect."""
import inspect
import sys


def events(function, *args):
    seen = []

    def tracer(frame, event, arg):
        if frame.f_code.co_filename == __file__ or frame.f_code.co_filename.endswith("introspection.py"):
            line = frame.f_lineno - function.__code__.co_firstlineno
            seen.append((event, frame.f_code.co_name, line, arg if event == "return" else arg and arg[0].__name__))
        return tracer

    sys.settrace(tracer)
    try:
        function(*args)
    except ValueError:
        pass
    finally:
        sys.settrace(None)
    return seen[:-1] if seen and seen[-1][1] == "events" else seen


def loops(n):
    total = 0
    for i in range(n):
        if i % 2:
            continue
        total += i
    else:
        total += 100
    return total


def catches():
    try:
        fails()
    except ValueError:
        x = 1
    finally:
        y = 2
    return [a for a in (1, 2)]


def fails():
    raise ValueError("x")


def generates():
    def g():
        yield 1
        yield 2

    return list(g())


for function, args in ((loops, (3,)), (catches, ()), (fails, ()), (generates, ())):
    print(function.__name__)
    for event in events(function, *args):
        print("  ", event)


def profile(function):
    seen = []

    def profiler(frame, event, arg):
        name = arg.__name__ if event.startswith("c_") else frame.f_code.co_name
        seen.append((event, name))

    sys.setprofile(profiler)
    function()
    sys.setprofile(None)
    return seen


print(profile(lambda: len([abs(-1), sorted([2, 1])])))


def caller():
    return callee()


def callee():
    frame = sys._getframe()
    secret = 5
    return frame.f_code.co_name, frame.f_back.f_code.co_name, sorted(frame.f_locals), frame.f_lineno - frame.f_code.co_firstlineno, frame.f_globals is globals()


print(caller())


def write_through():
    x = 1
    sys._getframe().f_locals["x"] = 2
    locals()["y"] = 3
    return x, "y" in locals(), list(sys._getframe().f_locals)


print(write_through())


def example(a, /, b: int = 2, *args: str, c, d=4, **kwargs) -> float:
    """Documentation."""
    e = a
    return lambda: (e, b)


code = example.__code__
print(code.co_name, code.co_qualname, code.co_argcount, code.co_varnames, code.co_cellvars, code.co_flags & 0x0C, code.co_freevars, code.co_consts[0], code.co_nlocals)
print(inspect.signature(example), inspect.getdoc(example), inspect.isfunction(example), inspect.getfullargspec(example).kwonlyargs, inspect.ismethod([].append), inspect.isbuiltin(len))
print([inspect.signature(f) for f in (len, sorted, print, int.__add__, str.split, dict.get, isinstance, [].append)])
print(example.__dict__, example.__module__, example.__qualname__, example.__closure__, example(1, c=3).__closure__[0].cell_contents)
example.attribute = 1
example.__defaults__ = (20,)
example.__name__ = "renamed"
print(example.attribute, example(1, c=0)(), example.__name__, code.replace(co_name="other").co_name)
example.__code__ = (lambda a: ("replaced", a)).__code__
print(example(5))
print(inspect.getsource(caller), inspect.getsourcelines(callee)[1] - caller.__code__.co_firstlineno)


class Klass:
    """Class doc."""

    attribute = 1

    def method(self): ...

    @classmethod
    def cmethod(cls): ...

    @staticmethod
    def smethod(): ...

    prop = property(lambda self: 1)


print([(name, kind) for name, kind, cls, obj in inspect.classify_class_attrs(Klass) if cls is Klass and not name.startswith("__")])
print(inspect.getmembers(Klass(), inspect.ismethod)[0][0], Klass.method.__qualname__, inspect.getmro(Klass), Klass.__doc__, Klass.__firstlineno__ > 0)
scope = {"x": 1}
print(eval("x + 1", scope), exec("y = x * 2", scope), scope["y"], sorted(k for k in scope if k != "__builtins__"), "__builtins__" in scope)
tree = compile("1 + 2", "<tree>", "eval", flags=0x400)
print(type(tree).__name__, tree.body.left.value, eval(compile(tree, "<tree>", "eval")))
import ast

print(ast.dump(ast.parse("x = f(1, *a, k=2) if y else [i async for i in z]").body[0]), ast.unparse(ast.parse("def f(a, /, *, b=1): return a**-b")), ast.literal_eval("[1, {'a': (2.5, None)}, {3}]"))
mon = sys.monitoring
mon.use_tool_id(3, "test")
calls = []
mon.register_callback(3, mon.events.PY_START, lambda code, offset: calls.append(("start", code.co_name)))
mon.register_callback(3, mon.events.PY_RETURN, lambda code, offset, value: calls.append(("return", code.co_name, value)))
mon.set_events(3, mon.events.PY_START | mon.events.PY_RETURN)
loops(2)
mon.set_events(3, 0)
mon.free_tool_id(3)
print(calls)
import builtins

print(sorted(name for name in dir(builtins) if name.islower() and not name.startswith("_")))
