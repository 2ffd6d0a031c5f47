"""Calls: every kind of parameter and argument, the errors, introspection, functools, decorators, callables."""
import functools
import inspect


def f(a, b=2, /, c=3, *args, d, e=5, **kwargs):
    return a, b, c, args, d, e, kwargs


print(f(1, d=4), f(1, 2, 3, 4, 5, d=6, x=7), f(*[1, 2], **{"d": 3}), f(1, *(2,), *[3, 4], d=1, **{"y": 1}, **{"z": 2}), f(1, d=2, a=3))
print(inspect.signature(f), f.__defaults__, f.__kwdefaults__, f.__code__.co_varnames, f.__code__.co_argcount, f.__code__.co_posonlyargcount, f.__code__.co_kwonlyargcount)


def three(a, b, c):
    return a + b + c


def only(a, /):
    return a


def keyword(*, key, other):
    return key


def nothing():
    pass


for attempt in (
    lambda: f(),
    lambda: f(1),
    lambda: f(b=1, d=2),
    lambda: three(1),
    lambda: three(1, 2),
    lambda: three(),
    lambda: three(1, 2, 3, 4),
    lambda: three(1, 2, a=1),
    lambda: three(1, 2, d=1),
    lambda: three(1, 2, 3, d=1),
    lambda: only(a=1),
    lambda: keyword(1),
    lambda: keyword(),
    lambda: keyword(key=1),
    lambda: nothing(1),
    lambda: nothing(1, x=2),
    lambda: three(*5),
    lambda: three(**5),
    lambda: three(**{1: 2}),
    lambda: three(1, **{"a": 1}),
    lambda: f(1, d=1, **{"d": 2}),
    lambda: len(),
    lambda: len(1, 2),
    lambda: len(x=1),
    lambda: int(1, 2, 3),
    lambda: int(y=1),
    lambda: [].append(),
    lambda: "".join(),
    lambda: dict(1, 2),
    lambda: isinstance(1),
    lambda: sorted(),
    lambda: sorted([], 1),
    lambda: "a".replace("b"),
    lambda: range(),
    lambda: object(1),
    lambda: type("x"),
    lambda: None(),
    lambda: "text"(),
    lambda: print(sep=3),
    lambda: max(key=1),
    lambda: f.missing,
):
    try:
        print(attempt())
    except Exception as err:
        print(type(err).__name__, err)


def trace(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        result = function(*args, **kwargs)
        print("call", function.__name__, args, kwargs, "->", result)
        return result

    return wrapper


def repeat(times):
    def decorate(function):
        def wrapper(*args):
            return [function(*args) for _ in range(times)]

        return wrapper

    return decorate


@repeat(2)
@trace
def square(x: int) -> int:
    """Squares."""
    return x * x


print(square(3))


@trace
def documented(a, *, b: "text" = 1) -> list:
    """The documentation."""


print(documented.__name__, documented.__doc__, documented.__wrapped__.__kwdefaults__, documented.__annotations__)


@functools.lru_cache(maxsize=2)
def slow(x):
    print("computing", x)
    return x * 10


print(slow(1), slow(1), slow(2), slow(3), slow(1), slow.cache_info())
part = functools.partial(f, 1, d=2)
print(part(9), part(d=7), part.func is f, part.args, part.keywords, functools.reduce(lambda a, b: a * b, range(1, 6), 1))


@functools.singledispatch
def kind(x):
    return "other"


@kind.register
def _(x: int):
    return "int"


@kind.register(list)
def _(x):
    return "list"


print(kind(1), kind([]), kind("s"), kind(True))


class Meter:
    def __init__(self):
        self.calls = 0

    def __call__(self, *args):
        self.calls += 1
        return self.calls, args

    @functools.cached_property
    def expensive(self):
        print("once")
        return 42

    ordered = functools.partialmethod(lambda self, a, b: (a, b), 1)

    def order(self, a=1, *b, **c):
        return a, b, c


meter = Meter()
print(meter(1), meter(2, 3), meter.expensive, meter.expensive, meter.order(5, 6, x=7), meter.ordered(8), Meter.order(meter), callable(meter), callable(5))
order = []


def log(value):
    order.append(value)
    return value


log(f)(log(1), *[log(2)], d=log(3), **{log("k"): log(4)})
print([x if not callable(x) else "f" for x in order])
order.clear()
{log("k1"): log("v1"), log("k2"): log("v2")}
[log(1), log(2)][log(0)] = log(9)
print(order)


def returns_many():
    return 1, *[2, 3]


print(returns_many(), (lambda *a, k=1, **kw: (a, k, kw))(1, k=2, z=3), (lambda: (yield))().__class__.__name__)


def annotations(a: int, b: "undefined" = 1, *args: str, c: list[int]) -> None: ...


print(annotations.__annotations__, inspect.signature(annotations))


def deferred(a: not_defined_anywhere):
    return a


print(deferred(1))
try:
    deferred.__annotations__
except NameError as err:
    print(err)


def generic[T: int, *Ts, **P](x: T) -> T:
    return x


print(generic.__type_params__, generic(1), generic.__type_params__[0].__bound__)
type Alias[K] = dict[K, int]
print(Alias, Alias.__value__, Alias[str])


class Stack[T]:
    def push(self, item: T) -> None: ...


print(Stack[int], Stack.__type_params__, Stack.__orig_bases__)
