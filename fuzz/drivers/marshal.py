# Marshalled values: what loads can be written and read again. With a first byte below 128 the rest are changes to a good code
# object (two bytes of place, one of value), which runs when it is taken.
import marshal

SOURCES = (
    'x = 1\ny = x + 2\n',
    'def f(a, b=2, *c, d, **e):\n    return a + b, c, d, e\nf(1, d=3)\n',
    'def f(n):\n    for i in range(n):\n        if i % 2:\n            yield i\nlist(f(9))\n',
    'try:\n    [][1]\nexcept IndexError as e:\n    x = e\nfinally:\n    y = 2\n',
    'class A:\n    x = 1\n    def f(self):\n        return self.x\nA().f()\n',
    'def f():\n    x = 1\n    def g():\n        nonlocal x\n        x += 1\n        return x\n    return g()\nf()\n',
    'x = [a * b for a in (1, 2) for b in (3, 4) if a]\ny = {a: a for a in x}\nz = {*x}\n',
    'class C:\n    def __enter__(self): return 1\n    def __exit__(self, *e): return True\nwith C() as c:\n    [][1]\n',
    'match (1, [2, 3], {"a": 4}):\n    case (1, [b, *c], {"a": d}):\n        pass\n    case _:\n        pass\n',
    'a, *b = 1, 2, 3\nc = f"{a!r:>4}{b}"\ndel a\nwhile not b[2:]:\n    b.append(1)\nelse:\n    c = 1 < 2 < 3\n',
    'async def f():\n    async with g() as x:\n        await x\n    async for y in x:\n        yield y\nf()\n',
    'def f():\n    x = yield 1\n    yield from [x]\n    return 3\ng = f()\nnext(g)\ng.send(4)\nnext(g)\n',
    'try:\n    raise ExceptionGroup("a", [ValueError(1)])\nexcept* ValueError as e:\n    x = e.exceptions\n',
    'def f(*a, **k):\n    return k\nf(*(1, 2), **{"a": 1}, b=2)\nf(*[1], 2, *[3], x=1)\nlambda: f\n',
)
FULL = {'range': range, 'list': list, 'IndexError': IndexError, 'ExceptionGroup': ExceptionGroup,
        'ValueError': ValueError, '__build_class__': __build_class__, '__name__': 'fuzz'}
REFUSED = (ValueError, EOFError, TypeError, SyntaxError)
CODES = [marshal.dumps(compile(source, '<seed>', 'exec')) for source in SOURCES]
CodeType = type((lambda: 0).__code__)


def examine(value):
    try:
        repr(value)
    except ValueError:
        pass  # an int with too many digits
    for version in range(6):
        try:
            marshal.dumps(value, version)
        except ValueError:
            pass


def examine_code(code, outer=()):
    if any(code is other for other in outer):
        return
    for name in dir(code):
        if name.startswith('co_'):
            getattr(code, name)
    for _ in code.co_positions():
        pass
    for _ in code.co_lines():
        pass
    hash(code)
    code == code.replace(co_name='other')
    try:
        marshal.dumps(code)
    except ValueError:
        pass  # a code object that contains itself
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            examine_code(constant, (*outer, code))


def run(code):
    examine_code(code)
    try:
        exec(code, {'__builtins__': FULL})
    except SystemError as error:
        # Code that no compiler makes may be told so; a mistake of ours speaks of an internal error.
        if 'internal error' in str(error):
            raise
    except Exception:
        pass
    except (GeneratorExit, StopIteration):
        pass


def one(data):
    if not data:
        return
    if data[0] < 128:
        changed = bytearray(CODES[data[0] % len(CODES)])
        for at in range(1, len(data) - 2, 3):
            changed[(data[at] << 8 | data[at + 1]) % len(changed)] = data[at + 2]
        data = bytes(changed)
    else:
        data = data[1:]
    try:
        value = marshal.loads(data)
    except REFUSED:
        return
    if isinstance(value, CodeType):
        run(value)
    else:
        examine(value)
