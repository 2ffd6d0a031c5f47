"""Exceptions raised, caught, chained and passed through `finally` and `with`; also those that never happen."""

N = 130000
QUICK = 100


class Problem(Exception):
    def __init__(self, code):
        super().__init__("problem %d" % code)
        self.code = code


class Worse(Problem):
    pass


class Resource:
    opened = closed = 0

    def __enter__(self):
        Resource.opened += 1
        return self

    def __exit__(self, kind, value, traceback):
        Resource.closed += 1
        return kind is KeyError


def deep(level, code):
    if level == 0:
        if code % 3 == 0:
            raise Worse(code)
        raise Problem(code)
    return deep(level - 1, code)


def parse(text):
    try:
        return int(text)
    except ValueError:
        return None


def chained(code):
    try:
        try:
            deep(3, code)
        except Worse as err:
            raise RuntimeError("chained") from err
        finally:
            Resource.opened += 0
    except RuntimeError as err:
        return err.__cause__.code + 1
    except Problem as err:
        return -err.code


def quiet(numbers):
    total = 0
    for number in numbers:
        try:
            total += number
        except TypeError:
            total = -1
    return total


def run(n):
    Resource.opened = Resource.closed = 0
    checksum = 0
    table = {"a": 1}
    texts = ["12", "x", "-7", "", "1e3"]
    for turn in range(n):
        checksum += chained(turn)
        value = parse(texts[turn % 5])
        checksum += 1 if value is None else value
        try:
            checksum += table["b"]
        except KeyError as err:
            checksum += len(err.args)
        with Resource():
            raise KeyError(turn)
        try:
            with Resource():
                checksum += [1, 2, 3][turn % 5]
        except IndexError:
            checksum += 100
        for _ in range(2):
            try:
                continue
            finally:
                checksum += 1
        checksum += quiet(range(20))
    assert Resource.opened == Resource.closed == 2 * n
    return str(checksum)
