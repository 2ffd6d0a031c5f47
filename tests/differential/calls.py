"""Random calls of built-ins. `calls.py make SEED N` prints expressions, one a line; `calls.py run FILE` prints what each gives: two
Pythons must print the same."""
import random
import re
import sys

INTS = ['0', '1', '-1', '2', '3', '5', '-3', '7', '10', '16', '36', '37', '100', '255', '256', '-128', '2**40', '-2**40', '2**63',
        '2**63-1', '-2**63', '2**64', '10**20', '-10**30', 'True', 'False']
FLOATS = ['0.0', '-0.0', '1.0', '1.5', '-2.5', '0.1', '1e16', '1e22', '123456789.125', '1e-5', '5e-324', '1.7976931348623157e308',
          'float("inf")', 'float("-inf")', 'float("nan")', '2.5', '3.5', '-0.5']
STRS = ["''", "'a'", "'abc'", "'ABC'", "'aXbXc'", "' a b '", "'\\t1\\n'", "'12'", "'-7'", "'0x1f'", "'1_0'", "'1e3'", "'nan'", "'é'", "'ß'", "'ǆ'", "'İ'",
        "'Σας'", "'\\ud800'", "'\\U0001f600a'", "'١٢'", "'½'", "'a\\x00b'", "'{}'", "'%s'", "'a,b,,c'", "'aaa'", "'line\\r\\nnext\\x0bend'", "'ﬁ'",
        "'hello world'", "'x' * 50", "'\\u2028'", "'١.٥'", "' \\xa0'", "'0'", "'_'", "'strict'", "'utf-8'", "'ascii'", "'ignore'"]
BYTES = ["b''", "b'a'", "b'abc'", "b'aXbXc'", "b' a b '", "b'\\xff\\x00'", "b'12'", "b'a,b'", "b'\\t1\\n'", "bytearray(b'abc')", "bytearray()", "memoryview(b'abc')",
         "b'%s'", "b'\\xc3\\xa9'", "b'ABC'", "b'x' * 40", "b'6162'"]
LISTS = ['[]', '[1]', '[1, 2, 3]', '[3, 1, 2]', "['b', 'a']", '[1.5, 2]', '[None]', '[[1], [2]]', "[1, 'a']", '[(1, 2)]', '[0] * 5', "[b'a']"]
TUPLES = ['()', '(1,)', '(1, 2)', "('a', 'b')", '(3, 1, 2)', '((1,), 2)', '(str, int)', "('a', 1)", '(1, 2, 3, 4)']
DICTS = ['{}', '{1: 2}', "{'a': 1}", "{'a': 1, 'b': 2}", '{1.0: 1, 2: 3}', '{(1, 2): 3}', "dict(a=1)", "{97: 'x'}", "{97: None, 98: 99}"]
SETS = ['set()', '{1}', '{1, 2, 3}', "{'a'}", 'frozenset()', 'frozenset({1, 2})', '{(1, 2)}', '{1.0, 2}']
RANGES = ['range(0)', 'range(5)', 'range(1, 10, 3)', 'range(10, 0, -1)', 'range(2**100, 2**100 + 3)', 'range(-5, 5, 2)', 'range(0, 2**70, 2**60)']
SLICES = ['slice(None)', 'slice(1)', 'slice(1, 2)', 'slice(None, None, -1)', 'slice(-3, 10, 2)', 'slice(None, None, 0)', "slice('a')", 'slice(2**70)', 'slice(1.5)']
COMPLEXES = ['1j', '1+2j', '-0j', 'complex("nan")', 'complex(1e308, 1e308)', '0j', '2.5-1j']
OTHERS = ['None', '...', 'NotImplemented', 'int', 'str', 'object', 'len', 'print', 'Index(3)', 'Index("a")', 'Float(1.5)', 'Str("x")', 'Sub(5)', 'Iter([1, 2])', 'Len(2)',
          'Len(-1)', 'Bad()', 'iter([1, 2, 3])', 'zip()', 'lambda *a: a', 'abs', 'Key(1)', "Seq('ab')"]
SPECS = ['', 'd', 'x', '#x', 'b', 'o', 'c', 'n', 'e', 'f', 'g', '%', 's', '10', '<10', '>10', '^10', '=10', '010', '+', '-', ' ', ',', '_', '.3', '.0f', '10.3f', ',.2f', '_x', '#o',
         '*^20', 'z.1f', '+.3e', '#.3g', ',d', '020,', 'é>5', '.', '10.', 'q', ',_', '5c', '.3s', '.10g', '_b', '0=10', '<<', '##', '.2%', 'G', 'E', 'X', '08.3f', '-010', '1,', ',,', '.,f', '._f']
PERCENTS = ['%d', '%s', '%r', '%a', '%x', '%X', '%o', '%e', '%f', '%g', '%c', '%%', '%5d', '%-5d|', '%05d', '%+d', '% d', '%#x', '%.3f', '%10.3f', '%.2s', '%i', '%u', '%(a)s', '%*d', '%.*f',
            '%5%', '%z', '%', '%l', '%ld', '%G', '%E', '%F', '%#o', '%#.3g', '%-10s|', '%10s', '%b']
STRUCTS = ['b', 'B', 'h', 'H', 'i', 'I', 'l', 'L', 'q', 'Q', 'n', 'e', 'f', 'd', 's', 'p', 'x', '?', 'c', '2s', '3p', '0s', '<h', '>i', '=q', '!d', '@bi', '<bi', '2h', '0i', 'hb', '>2s', 'P', '<n', 'F', ' b', '2 b', 'b2', '', '<']
PATTERNS = ['a', 'a*', 'a+?', '(a)(b)?', '(?P<n>.)', '[a-c]+', '[^a]', '\\d+', '\\w', '\\s*', '^', '$', '\\b', '(?i)A', 'a|b|', '(?=a)', '(?!a).', '(?<=a)b', '.', '(?s).', 'X', '(', '[', '*', 'a{2}', 'a{1,}?', '(?:a)',
            '(?P<n>a)(?P=n)', '\\1', '(a)\\1', '(?x) a', '[[:alpha:]]', '\\', '(?P<1>a)', '(?z)', 'a**', '(?<=a+)b', ',', '\\r\\n', '\\Z', '\\z', '(?>a+)', 'a++', '(?(1)a|b)', '(a)?(?(1)b|c)', '\\N{DASH}', '\\u00e9', '\\x61']
# What `Maker.pattern` puts together: items, how often they come, and what may be around several.
ITEMS = ['a', 'b', '.', '', 'a?', 'b+?', 'a*?', 'a*+', '(a)', '(b|)', '(a|)', '[ab]', '[^a]', '(?i:A)', '\\w', '^', '$', '\\b', '\\1', '\\2', '(?(1)a|b)', '(?=(a)|b)', '(?<!b)', '(?>a|ab)']
REPEATS = ['', '*', '*?', '*+', '+', '+?', '++', '?', '??', '?+', '{2}', '{1,3}', '{1,3}?', '{1,2}+', '{0,2}?']
SUBJECTS = ['', 'aaa', 'aab', 'abab', 'bcaab']
GROUPS = ['(', '(', '(?:', '(?:', '(?=', '(?!', '(?>']
TEMPLATES = ['x', '', '\\1', '\\g<0>', '\\g<n>', '\\2', '[\\0]', '\\\\', '\\q', '\\g<', '\\g<1', '\\n', '\\g<-1>', '\\g<é>']
JSONS = ['', '1', '-0', '1.5e3', 'null', '[1, 2]', '{"a": 1}', '"\\u00e9"', '[1,]', '{"a"}', "{'a': 1}", 'NaN', '-Infinity', '"a', '[', '{"a": 1,}', 'nul', '1 2', '"\\x"', '"\t"', ' 1 ', '01', '.5', '1.', '\ufeff1', '[1 2]', '{"a" 1}', '"\\ud800"']
ENCODINGS = ["'utf-8'", "'ascii'", "'latin-1'", "'utf-16'", "'utf-32-le'", "'cp1252'", "'utf-7'", "'punycode'", "'idna'", "'unicode_escape'", "'raw_unicode_escape'", "'nope'", "'utf-8-sig'", "'rot13'", "'hex'"]
ERRORS = ["'strict'", "'ignore'", "'replace'", "'xmlcharrefreplace'", "'backslashreplace'", "'surrogateescape'", "'surrogatepass'", "'namereplace'", "'nope'"]

POOLS = {'i': INTS, 'f': FLOATS, 's': STRS, 'b': BYTES, 'l': LISTS, 't': TUPLES, 'd': DICTS, 'S': SETS, 'r': RANGES, 'L': SLICES, 'c': COMPLEXES, 'o': OTHERS}
#: (receiver's pool, names of its methods)
METHODS = {key: [name for name in dir(cls) if name not in {
        '__init_subclass__', '__subclasshook__', '__new__', '__dir__', '__sizeof__', '__reduce__', '__reduce_ex__', '__doc__', '__getattribute__', '__class__',
        '__setattr__', '__delattr__', '__getstate__', '__init__', '__release_buffer__', '__class_getitem__', '__hash__', '__round__', '__pow__', '__rpow__', '__lshift__', '__rlshift__'}]
    for key, cls in {'i': int, 'f': float, 's': str, 'b': bytes, 'l': list, 't': tuple, 'd': dict, 'S': set, 'r': range, 'L': slice, 'c': complex}.items()}
BUILTINS = ['abs', 'all', 'any', 'ascii', 'bin', 'bool', 'bytearray', 'bytes', 'callable', 'chr', 'complex', 'dict', 'divmod', 'enumerate', 'filter', 'float', 'format',
            'frozenset', 'getattr', 'hasattr', 'hex', 'int', 'isinstance', 'issubclass', 'iter', 'len', 'list', 'map', 'max', 'memoryview', 'min', 'next', 'oct', 'ord',
            'range', 'repr', 'reversed', 'round', 'set', 'slice', 'sorted', 'str', 'sum', 'tuple', 'type', 'zip', 'int.from_bytes', 'float.fromhex', 'bytes.fromhex',
            'str.maketrans', 'dict.fromkeys', 'bytes.maketrans', 'math.floor', 'math.ceil', 'math.gcd', 'math.isqrt', 'math.fsum', 'math.prod', 'math.ldexp',
            'math.dist', 'math.hypot', 'math.log', 'math.sqrt', 'math.fmod', 'math.copysign', 'math.frexp', 'math.modf', 'math.trunc', 'math.isclose', 'math.nextafter',
            'operator.index', 'operator.length_hint', 'operator.concat', 'operator.countOf', 'operator.indexOf', 'itertools.islice', 'itertools.chain', 'itertools.product',
            'itertools.combinations', 'itertools.accumulate', 'itertools.batched', 'itertools.pairwise', 'itertools.zip_longest', 'itertools.repeat',
            'binascii.hexlify', 'binascii.unhexlify', 'binascii.b2a_base64', 'binascii.a2b_base64', 'binascii.crc32', 'collections.deque', 'collections.OrderedDict',
            'collections.Counter', 'bisect.bisect', 'heapq.nsmallest', 'functools.reduce', 'unicodedata.name', 'unicodedata.normalize', 'unicodedata.category',
            'datetime.date', 'datetime.timedelta', 'datetime.datetime.fromisoformat', 'array.array', 'types.SimpleNamespace', 'codecs.encode', 'codecs.decode']
BINARY = ['+', '-', '*', '/', '//', '%', '**', '@', '<<', '>>', '&', '|', '^', '==', '!=', '<', '<=', '>', '>=', 'in', 'is', 'and', 'or']
KEYWORDS = ['key=len', 'reverse=True', 'sep="x"', 'maxsplit=1', 'default=0', 'start=1', 'signed=True', 'byteorder="little"', 'strict=True', 'base=2', 'encoding="utf-8"',
            'errors="replace"', 'keepends=True', 'tabsize=4', 'nope=1', 'ndigits=1', 'mod=5', 'n=2', 'count=1', 'length=4', 'bytes_per_sep=2']


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, items):
        return items[self.random.randrange(len(items))]

    def value(self, pools='ifsbltdSrLco'):
        kind = self.pick(pools)
        text = self.pick(POOLS[kind])
        if kind in 'ltS' and self.random.randrange(6) == 0:
            return {'l': '[{}]', 't': '({},)', 'S': '{{{}}}'}[kind].format(', '.join(self.value('ifsbt') for _ in range(self.random.randrange(1, 4))))
        return text

    def arguments(self, like):
        n = self.pick((0, 1, 1, 1, 2, 2, 3))
        arguments = [self.value(like) if self.random.randrange(3) else self.value() for _ in range(n)]
        if self.random.randrange(12) == 0:
            arguments.append(self.pick(KEYWORDS))
        return ', '.join(arguments)

    def quoted(self, items):
        return repr(self.pick(items))

    def pattern(self, depth):
        kind = self.random.randrange(5) if depth else 0
        if kind == 0:
            return self.pick(ITEMS)
        if kind == 1:
            return self.pattern(depth - 1) + self.pattern(depth - 1)
        if kind == 2:
            return f'(?:{self.pattern(depth - 1)}|{self.pattern(depth - 1)})'
        return f'{self.pick(GROUPS)}{self.pattern(depth - 1)}){self.pick(REPEATS)}'

    def expression(self):
        kind = self.random.randrange(16)
        if kind < 6:
            pool = self.pick('sssbbifltdSrLc')
            like = {'s': 'ssi', 'b': 'bbi', 'i': 'if', 'f': 'if', 'd': 'dist', 'r': 'ir', 'c': 'ifc', 'L': 'iL'}.get(pool, pool + 'iL')
            return f'act({self.value(pool)}, {self.pick(METHODS[pool])!r}, {self.arguments(like)})'.replace(', )', ')')
        if kind < 9:
            return f'{self.pick(BUILTINS)}({self.arguments(self.pick(("i", "if", "s", "b", "l", "t", "ifsbltdSro")))})'
        if kind < 11:
            operator = self.pick(BINARY)
            if operator in ('**', '<<'):
                return f'{self.value()} {operator} {self.pick(("0", "1", "-1", "3", "0.5", "-2.5", "1j", "None", "True"))}'
            return f'{self.value()} {operator} {self.value()}'
        if kind == 11:
            if self.random.randrange(2):
                return f'format({self.value("iiffsc")}, {self.quoted(SPECS)})'
            return f'{self.quoted(PERCENTS)} % {self.value("ifstbdo")}'
        if kind == 12:
            form = ''.join(self.pick(STRUCTS) for _ in range(self.pick((1, 1, 2))))
            if self.random.randrange(2):
                return f'struct.pack({form!r}, {self.arguments("iifb")})'.replace(', )', ')')
            return f'struct.unpack({form!r}, {self.value("b")})'
        if kind == 13:
            if self.random.randrange(2):
                how = self.pick(('match', 'search', 'fullmatch', 'finditer', 'split'))
                return f're.{how}({self.pattern(3)!r}, {self.quoted(SUBJECTS)})'
            pattern, text = self.quoted(PATTERNS), self.value('s')
            how = self.pick(('match', 'search', 'fullmatch', 'findall', 'split', 'finditer', 'sub', 'subn', 'compile', 'escape'))
            if how in ('sub', 'subn'):
                return f're.{how}({pattern}, {self.quoted(TEMPLATES)}, {text})'
            if how in ('compile', 'escape'):
                return f're.{how}({pattern})'
            return f're.{how}({pattern}, {text})'
        if kind == 14:
            if self.random.randrange(2):
                return f'json.loads({self.quoted(JSONS)})'
            options = self.pick(('', ', indent=1', ', sort_keys=True', ', ensure_ascii=False', ', separators=(",", ":")', ', skipkeys=True', ', allow_nan=False', ', default=str', ', indent="-"'))
            return f'json.dumps({self.value("ifsbltdSo")}{options})'
        pool = self.pick('sb')
        return f'act({self.value(pool)}, {self.pick(("encode", "decode"))!r}, {self.pick(ENCODINGS)}, {self.pick(ERRORS)})'


class Index:
    def __init__(self, value):
        self.value = value
    def __index__(self):
        return self.value


class Float(Index):
    def __float__(self):
        return self.value
    __index__ = None


class Str(str):
    def __str__(self):
        return 'shown'


class Sub(int):
    pass


class Iter(Index):
    def __iter__(self):
        return iter(self.value)
    __index__ = None


class Len(Index):
    def __len__(self):
        return self.value
    __index__ = None


class Bad:
    def fail(self, *args):
        raise LookupError('bad')
    __eq__ = __lt__ = __hash__ = __len__ = __iter__ = __index__ = __bool__ = __repr__ = __str__ = __add__ = __getitem__ = __contains__ = __format__ = fail


class Key(Index):
    def __eq__(self, other):
        return other == self.value
    def __hash__(self):
        return hash(self.value)
    def __lt__(self, other):
        return True


class Seq(Index):
    def __getitem__(self, index):
        return self.value[index]
    def __len__(self):
        return len(self.value)


def act(value, name, *args, **keywords):
    """The result and what the receiver is afterwards."""
    attribute = getattr(value, name)
    result = attribute(*args, **keywords) if callable(attribute) else attribute
    return (result, value) if type(value) in (list, dict, set, bytearray) else result


def show(value, depth=3):
    """The value as text that does not depend on addresses, nor on the order of sets."""
    kind = type(value)
    if kind in (set, frozenset):
        return f'{kind.__name__}<{sorted(show(item, depth - 1) for item in value)}>'
    if kind in (tuple, list) and depth:
        return f'{kind.__name__}[{", ".join(show(item, depth - 1) for item in value)}]'
    if kind is dict and depth:
        return f'dict[{", ".join(show(key, depth - 1) + ": " + show(item, depth - 1) for key, item in value.items())}]'
    if kind is re.Match:
        return f'{value!r} {value.regs} {value.lastindex}'
    text = re.sub('0x[0-9a-f]{6,}', '0x', repr(value))
    if kind is not type and hasattr(kind, '__next__') and depth:
        items = []
        for item in value:
            items.append(show(item, depth - 1))
            if len(items) == 20:
                break
        text += f' of {items}'
    return f'{kind.__name__} {text[:300]}'


def run(path):
    import array, binascii, bisect, codecs, collections, datetime, functools, heapq, itertools, json, math, operator, struct, types, unicodedata, warnings
    warnings.simplefilter('ignore')
    names = {**globals(), **locals()}
    for line in open(path, encoding='utf-8', errors='surrogatepass'):
        try:
            result = show(eval(line, names))
        except Exception as error:
            try:
                result = f'{type(error).__name__}: {re.sub("0x[0-9a-f]{6,}", "0x", str(error))[:300]}'
            except Exception as again:
                result = f'{type(error).__name__}, which has no text: {type(again).__name__}'
        print(ascii(result))


def main():
    sys.set_int_max_str_digits(2000)
    if sys.argv[1] == 'make':
        maker = Maker(int(sys.argv[2]))
        for _ in range(int(sys.argv[3])):
            print(maker.expression().encode('ascii', 'backslashreplace').decode())
    else:
        run(sys.argv[2])


main()
