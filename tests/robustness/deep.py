"""Nesting deeper than the native stack: RecursionError, MemoryError or SyntaxError, in the main thread and in a thread whose stack the
program made small."""
import ast
import itertools
import sys
import threading
import types

DEEP = 30_000
TOO_DEEP = (RecursionError, MemoryError, SyntaxError, OverflowError)


def limited(function, *args):
    """Calls it: it may succeed, or say that this is too deep."""
    try:
        return function(*args)
    except TOO_DEEP:
        return None


def nested(make, n=DEEP):
    value = make(None)
    for _ in range(n):
        value = make(value)
    return value


def sources():
    for part in ('-', '~', 'not ', 'await ', 'lambda: ', 'a if b else ', 'a ** ', '(', '[', '{a:', 'f(', "f'{", 'a='):
        yield part * DEEP + 'a'
    for part in ('.b', '()', '[0]', '+a', ' and a', ' < a', ' for b in c', ' if a else b'):
        yield 'a' + part * DEEP
        yield '[a' + part * DEEP + ']'
    yield ''.join(' ' * level + 'if a:\n' for level in range(300)) + ' ' * 300 + 'a'
    yield 'if a: b\n' + 'elif a: b\n' * DEEP
    yield '@a\n' * DEEP + 'def f(): pass'


def programs():
    for source in sources():
        limited(compile, source, 's', 'exec')
        limited(ast.parse, source)


def trees():
    here = {'lineno': 1, 'col_offset': 0}
    tree = nested(lambda value: ast.UnaryOp(ast.USub(), value, **here) if value else ast.Name('a', ast.Load(), **here))
    limited(compile, ast.Expression(tree), 's', 'eval')
    limited(ast.dump, tree)
    limited(ast.unparse, tree)
    limited(compile, ast.Expression(ast.Constant(nested(lambda value: (value,)), **here)), 's', 'eval')


def objects():
    for make in (
        lambda value: [value], lambda value: (value,), lambda value: {1: value}, slice, lambda value: frozenset([value]), Exception,
        lambda value: types.SimpleNamespace(a=value), lambda value: types.MappingProxyType({1: value}), lambda value: {1: value}.items(),
    ):
        left, right = nested(make, 10_000), nested(make, 10_000)
        for use in (repr, hash, lambda value: value == right, lambda value: value in [right]):
            try:
                limited(use, left)
            except TypeError:
                pass


def iterators():
    for make in (
        lambda it: map(int, it), lambda it: filter(None, it), zip, enumerate, itertools.chain, itertools.cycle, itertools.accumulate,
        itertools.pairwise, itertools.groupby, itertools.zip_longest, lambda it: itertools.islice(it, 5),
        lambda it: itertools.takewhile(bool, it), lambda it: itertools.dropwhile(bool, it), lambda it: itertools.batched(it, 1),
        lambda it: itertools.compress(it, [1]), lambda it: itertools.filterfalse(None, it), lambda it: itertools.chain.from_iterable([it]),
        lambda it: itertools.tee(it)[0], lambda it: (item for item in it),
    ):
        try:
            limited(next, nested(lambda it: make(iter([1, 2]) if it is None else it), 20_000), None)
        except TypeError:
            pass


def everything():
    for part in (programs, trees, objects, iterators):
        part()
    done.append(True)


done = []
everything()
for size in (64 * 1024, 1 << 20):
    threading.stack_size(size)
    thread = threading.Thread(target=everything)
    thread.start()
    thread.join()
assert len(done) == 3, done
