"""Calls of every shape: recursion, defaults, keywords, stars, closures, bound methods, partials, built-ins, callable objects."""

from functools import partial, reduce

N = 130000
QUICK = 50


def fibonacci(number):
    return number if number < 2 else fibonacci(number - 1) + fibonacci(number - 2)


def ackermann(m, n):
    if m == 0:
        return n + 1
    if n == 0:
        return ackermann(m - 1, 1)
    return ackermann(m - 1, ackermann(m, n - 1))


def defaults(a, b=2, *, c=3, d=4):
    return a + b * 10 + c * 100 + d * 1000


def stars(*args, **kwargs):
    return len(args) + sum(kwargs.values())


def forward(*args, **kwargs):
    return defaults(*args, **kwargs)


def counter():
    count = 0

    def step(amount=1):
        nonlocal count
        count += amount
        return count

    return step


def decorated(function):
    def wrapper(*args):
        return function(*args) + 1

    return wrapper


@decorated
def add(a, b):
    return a + b


class Callable:
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, value):
        return value * self.factor

    def method(self, a, b=1):
        return a * b + self.factor


def run(n):
    checksum = fibonacci(18) + ackermann(2, 40)
    step = counter()
    thing = Callable(3)
    bound = thing.method
    bind = partial(defaults, 1, d=5)
    options = {"c": 7}
    for turn in range(n):
        checksum += defaults(turn) + defaults(turn, 1, d=2) + defaults(b=turn, a=1)
        checksum += stars(1, 2, turn, x=1, y=2) + stars(*(1, 2), **options)
        checksum += forward(turn, **options) + forward(*[turn, 3])
        checksum += step() + step(2) + add(turn, 1) + thing(turn) + bound(turn) + bound(turn, b=2)
        checksum += bind(b=turn) + max(turn, 5) + len("abc") + abs(-turn) + int("7") + min(3, turn, key=thing)
        checksum += (lambda x, y=2: x * y)(turn) + sum(map(lambda x: x + 1, (1, 2, 3)))
        checksum += reduce(lambda total, value: total + value, (turn, 1, 2)) + isinstance(turn, int)
    return str(checksum)
