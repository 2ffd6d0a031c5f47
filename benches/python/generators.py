"""Generators: a recursive walk with `yield from`, pipelines of generators, and coroutines driven by send()."""

N = 120
QUICK = 1


class Tree:
    def __init__(self, left, value, right):
        self.left, self.value, self.right = left, value, right

    def __iter__(self):
        if self.left is not None:
            yield from self.left
        yield self.value
        if self.right is not None:
            yield from self.right


def build(low, high):
    if low >= high:
        return None
    middle = (low + high) // 2
    return Tree(build(low, middle), middle, build(middle + 1, high))


def numbers(limit):
    value = 0
    while value < limit:
        yield value
        value += 1


def keep(source, divisor):
    for value in source:
        if value % divisor:
            yield value


def pairs(source):
    previous = None
    for value in source:
        if previous is not None:
            yield previous, value
        previous = value


def averager():
    total = count = 0
    average = None
    while True:
        value = yield average
        if value is None:
            return total
        total += value
        count += 1
        average = total / count


def closing(log):
    try:
        yield 1
        yield 2
    finally:
        log.append("closed")


def run(n):
    checksum = 0
    tree = build(0, 1500)
    for _ in range(n):
        checksum += sum(value * position for position, value in enumerate(tree))
        stream = pairs(keep(keep(keep(numbers(20000), 2), 3), 5))
        checksum += sum(second - first for first, second in stream)
        average = averager()
        next(average)
        for value in range(20000):
            last = average.send(value & 255)
        try:
            average.send(None)
        except StopIteration as stop:
            checksum += stop.value + int(last * 1000)
        log = []
        for _ in range(500):
            generator = closing(log)
            next(generator)
            generator.close()
        checksum += len(log)
        checksum += sum(x * y for x in range(100) for y in range(100) if (x ^ y) & 1)
    return str(checksum)
