"""Generators: send, throw, close, yield from, return values, finally, laziness, state, expressions."""
import inspect


def numbers(n):
    try:
        for i in range(n):
            got = yield i
            if got is not None:
                print("got", got)
    except ValueError as err:
        print("caught", err)
        yield "after"
    finally:
        print("finally")
    return "result"


g = numbers(3)
print(next(g), g.send("hello"), next(g))
try:
    next(g)
except StopIteration as stop:
    print("stop", stop.value)
g = numbers(3)
print(next(g), g.throw(ValueError("thrown")), list(g))
g = numbers(3)
next(g)
g.close()
print(inspect.getgeneratorstate(g), list(g))
try:
    numbers(1).send(1)
except TypeError as err:
    print(err)


def delegate():
    result = yield from numbers(2)
    print("delegated", result)
    yield from (x * x for x in range(3))
    yield from "ab"
    return "outer"


def collect(generator):
    items = []
    while True:
        try:
            items.append(next(generator))
        except StopIteration as stop:
            return items, stop.value


print(collect(delegate()))
g = delegate()
next(g)
print(g.send("through"), g.gi_yieldfrom is not None, g.throw(ValueError, ValueError("deep")))
g.close()


def stubborn():
    while True:
        try:
            yield 1
        except GeneratorExit:
            yield 2


g = stubborn()
next(g)
try:
    g.close()
except RuntimeError as err:
    print(err)


def leaks():
    yield 1
    raise StopIteration("inside")


try:
    list(leaks())
except RuntimeError as err:
    print(err, "|", repr(err.__cause__))


def reenter():
    yield next(me)


me = reenter()
try:
    next(me)
except ValueError as err:
    print(err)


def fibonacci():
    a, b = 0, 1
    while True:
        yield a
        a, b = b, a + b


def take(n, it):
    for _, value in zip(range(n), it):
        yield value


print(list(take(12, fibonacci())), sum(take(100, fibonacci())))
print(list(x + y for x in "ab" for y in "cd" if x + y != "bc"), max((len(w), w) for w in "a bbb cc".split()))


def tree(depth):
    if depth:
        yield from tree(depth - 1)
        yield depth
        yield from tree(depth - 1)


print(list(tree(4)))


class Iterates:
    def __iter__(self):
        yield from [1, 2]
        try:
            yield 3
        finally:
            print("cleanup")


a, *b = Iterates()
print(a, b)
for value in Iterates():
    if value == 3:
        break
print("left the loop")


def flow(log):
    for i in range(4):
        try:
            if i == 1:
                continue
            if i == 3:
                break
            yield i
        finally:
            log.append(i)
    else:
        log.append("else")
    yield "end"


log = []
print(list(flow(log)), log)


def accumulate():
    total = 0
    while (value := (yield total)) is not None:
        total += value
    return total


acc = accumulate()
next(acc)
print([acc.send(i) for i in (1, 10, 100)])
try:
    acc.send(None)
except StopIteration as stop:
    print(stop.value)


def with_context():
    try:
        raise KeyError("outer")
    except KeyError:
        yield 1
        try:
            raise ValueError("inner")
        except ValueError as err:
            yield repr(err.__context__)


g = with_context()
print(next(g), next(g))
print(type(g).__name__, g.__name__, g.__qualname__, g.gi_running, g.gi_code.co_name)
gen = (i for i in [1])
print(gen.__name__, next(gen), next(gen, "default"))


def infinite_recursion(n):
    if n:
        yield from infinite_recursion(n - 1)
    yield n


print(sum(infinite_recursion(200)))
