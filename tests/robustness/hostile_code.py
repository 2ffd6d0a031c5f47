"""Code objects that no compiler made: refused with ValueError, or they run without harm."""
import gc
import marshal
import opcode
import random
import sys
import types

SOURCE = '''
def f(a, b=2, *c, d=3, **e):
    try:
        with a as g, b:
            x = [h * i for h in c if h for i in d]
    except (TypeError, ValueError) as error:
        return {"a": error, **e}, {*c}, f"{x!r:>{a}}"
    finally:
        for y, *z in c:
            while z:
                z = lambda: (y, z, a)
    match a:
        case {"k": [1, *r]} | A(_, s=r):
            return r
def g(x):
    y = yield x
    yield from f(x, *y, **{"k": y})
    try:
        raise x
    except* ValueError as e:
        del e
async def h():
    async with a as b:
        async for c in b:
            yield [d async for d in await c]
class C[T](g, metaclass=h):
    a: int = 1
    def m(self):
        return super().m(__class__)
def i[*Ts](a=1, *b: *Ts, c=2):
    while a:
        try:
            f(a)
        except f:
            continue
import q.r as s
from .t import u
'''


def codes(code):
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from codes(constant)


def refused(make):
    try:
        make()
    except (ValueError, TypeError, EOFError, OverflowError):
        return True
    return False


whole = compile(SOURCE, '<hostile>', 'exec')
for code in codes(whole):
    assert code.replace() == code
    code.replace(co_name='other')
    assert marshal.loads(marshal.dumps(code)) == code

one = (lambda a: a).__code__
assert refused(lambda: one.replace(co_stacksize=2**31 - 1))
assert refused(lambda: one.replace(co_argcount=50))
assert refused(lambda: one.replace(co_posonlyargcount=2))
assert refused(lambda: one.replace(co_names=(1,)))
assert refused(lambda: one.replace(co_varnames=()))
assert refused(lambda: one.replace(co_code=b''))
assert refused(lambda: one.replace(co_code=b'\0' * 8))
assert refused(lambda: one.replace(co_code=b'\xff' * 8))
assert refused(lambda: whole.replace(co_consts=()))
assert refused(lambda: whole.replace(co_names=()))
# A function's code that runs without arguments, or without its closure.
for text in ('lambda a: a', 'lambda a=1: a', 'lambda *, a: a', 'lambda *a: a', '(lambda a: lambda: a)(1)'):
    code = eval(text).__code__
    try:
        exec(code)
    except TypeError:
        pass
    try:
        types.FunctionType(code, {})()
    except TypeError:
        pass

# Loops that no signal could end: a jump that looks for none, a handler that handles itself.
endless = compile('while f: f()', '<hostile>', 'exec')
words = [endless.co_code[at:at + 8] for at in range(0, len(endless.co_code), 8)]
at = [word[0] for word in words].index(opcode.opmap['JUMP_BACKWARD'])
words[at] = bytes([opcode.opmap['JUMP_BACKWARD_NO_INTERRUPT']]) + words[at][1:]
assert refused(lambda: endless.replace(co_code=b''.join(words)))
waits = compile('def f(x): yield from [x]', '<hostile>', 'exec').co_consts[0]
words = [waits.co_code[at:at + 8] for at in range(0, len(waits.co_code), 8)]
at = [word[0] for word in words].index(opcode.opmap['JUMP_BACKWARD_NO_INTERRUPT'])
earlier = [word[0] for word in words].index(opcode.opmap['BUILD_LIST'])
words[at] = words[at][:4] + earlier.to_bytes(4, 'little')
assert refused(lambda: waits.replace(co_code=b''.join(words)))
calls = compile('f(g())', '<hostile>', 'exec')
for start in range(len(calls.co_code) // 8):
    # start, length, handler, depth
    assert refused(lambda: calls.replace(co_exceptiontable=bytes([0x80 | start, 1, start, 0])))

random.seed(1)
n_taken = 0
for code in codes(whole):
    words = code.co_code
    for _ in range(400):
        changed = bytearray(words)
        for _ in range(random.choice((1, 1, 2, 5))):
            at = random.randrange(len(changed))
            changed[at] = random.choice((random.randrange(256), changed[at] ^ 1 << random.randrange(8), 0))
        try:
            other = code.replace(co_code=bytes(changed))
        except ValueError:
            continue
        n_taken += 1
        other.co_lines(), other.co_positions(), hash(other), other == code
        assert marshal.loads(marshal.dumps(other)) == other
assert n_taken > 100, n_taken

data = marshal.dumps(whole)
for _ in range(3000):
    changed = bytearray(data)
    for _ in range(random.choice((1, 2, 3))):
        changed[random.randrange(len(changed))] = random.randrange(256)
    refused(lambda: marshal.loads(changed))


# Nothing that was read, run or refused stays.
def blocks(data):
    for _ in range(300):
        refused(lambda: marshal.loads(data))
    gc.collect()
    return sys.getallocatedblocks()


self_containing = (
    b'\xa9\x01r\0\0\0\0',                  # a tuple
    b'\xa9\x02\xa9\x01r\0\0\0\0N',         # two tuples
    b'\xa9\x02N>\x01\0\0\0r\0\0\0\0',      # through a frozenset
    b'\xdb\x01\0\0\0\xa9\x01r\0\0\0\0',    # a list and a tuple
    b'\xa9\x01\xdb\x01\0\0\0r\0\0\0\0',    # a tuple and a list
)
for data in self_containing:
    blocks(data)
    before = blocks(data)
    assert blocks(data) - before < 100, data
assert [refused(lambda: marshal.loads(data)) for data in self_containing] == [True, True, True, False, False]

# An exception that goes on being handled after its handler.
words = compile('try: f()\nexcept: g()', '<hostile>', 'exec')
code = words.co_code
at = [code[at] for at in range(0, len(code), 8)].index(opcode.opmap['POP_EXCEPT']) * 8
assert refused(lambda: words.replace(co_code=code[:at] + bytes([opcode.opmap['CLEAR']]) + code[at + 1:]))
assert refused(lambda: words.replace(co_exceptiontable=words.co_exceptiontable[:4]))
