"""Closures and scopes: nonlocal, global, cells, late binding, default arguments, class scopes, comprehension scopes, lambda."""


def counter(start=0):
    def step(by=1):
        nonlocal start
        start += by
        return start

    def peek():
        return start

    return step, peek


step, peek = counter(10)
print(step(), step(5), peek(), step.__closure__[0].cell_contents, step.__code__.co_freevars)

late = [lambda: i for i in range(3)]
early = [lambda i=i: i for i in range(3)]
print([f() for f in late], [f() for f in early])

x = "global"


def scopes():
    x = "enclosing"

    class C:
        y = x
        x = "class"
        z = [x for _ in range(2)]
        w = [y for y in (1, 2)]

        def method(self):
            return x

    def inner():
        global x
        return x

    return C.y, C.x, C.z, C.w, C().method(), inner()


print(scopes())


def unbound(flag):
    if flag:
        value = 1

    def inner():
        return value

    try:
        print(value)
    except UnboundLocalError as err:
        print(type(err).__name__, err)
    try:
        inner()
    except NameError as err:
        print(type(err).__name__, err)


unbound(False)
unbound(True)


def deleted():
    value = 1

    def inner():
        return value

    print(inner())
    del value
    try:
        inner()
    except NameError as err:
        print(err)


deleted()


def make_setter():
    global made_global
    made_global = 5
    values = []

    def add(*items, reset=False):
        nonlocal values
        if reset:
            values = []
        values += items
        return values

    return add


add = make_setter()
print(add(1), add(2, 3), add(reset=True), made_global)


def mutable(a, cache={}):
    cache[a] = len(cache)
    return cache


print(mutable("a"), mutable("b"), mutable.__defaults__)


def recursive(n):
    def fact(n):
        return 1 if n <= 1 else n * fact(n - 1)

    return fact(n)


print(recursive(20))

compose = lambda *fs: (lambda x: x) if not fs else lambda x: fs[0](compose(*fs[1:])(x))
print(compose(lambda x: x + 1, lambda x: x * 2)(5))


def walrus(data):
    if (n := len(data)) > 2:
        print("long", n)
    total = 0
    found = [total := total + v for v in data]
    return found, total, [y for v in data if (y := v * 2) > 2], y


print(walrus([1, 2, 3]))


def locals_of(a, b=2, *args, c, **kwargs):
    d = a
    return sorted(locals().items())


print(locals_of(1, 3, 4, c=5, e=6))


def nested_comprehension(n):
    return [[(i, j, n) for j in range(i)] for i in range(n)], {i: {j for j in range(i)} for i in range(3)}


print(nested_comprehension(3))
print([f(2) for f in [lambda x, n=n: x**n for n in range(4)]])

namespace = {}
exec("def g(): return h() + 1\ndef h(): return 41\nvalue = g()", namespace)
print(namespace["value"], eval("value * 2", namespace), eval("[a for b in range(2)]", {"a": 7}))
print(eval("x + y", {"x": 1}, {"y": 2}), callable(compile("1", "<s>", "eval")), eval(compile("x", "s", "eval")))


def type_cell():
    import types

    cell = types.CellType(3)
    cell.cell_contents += 1
    return cell.cell_contents


print(type_cell())
