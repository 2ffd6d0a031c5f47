"""What calls with wrong arguments say."""
import array
import binascii
import bisect
import codecs
import collections
import itertools
import operator
import struct


class Str(str):
    pass


class Len:
    def __len__(self):
        return -1


class NoIndex:
    __index__ = None


for expression in """
    [].__setitem__(1, 2, 3)
    {}.__setitem__()
    property().__set__(1)
    enumerate()
    enumerate(1, 2, 3)
    enumerate([], begin=1)
    list(enumerate(iterable="ab", start=1))
    enumerate(start=1)
    enumerate('ab', iterable='ab')
    type(1, name='x')
    int('1', 2, base=3)
    int('1', 2, 3)
    min(start=1)
    Str('x') * 2.5
    (1, 2) * Str('x')
    Str('x') * 3
    3 * Str('x')
    '%c' % NoIndex()
    '%.*f' % (10**30, 1.0)
    '%*d' % (10**30, 1)
    NoIndex() in b'ab'
    98 in b'ab'
    256 in b'ab'
    complex('_')
    complex('1__0')
    float('inf') ** 1j
    b'\\xff'.decode('ascii', 'namereplace')
    b'\\xff'.decode('utf-8', 'xmlcharrefreplace')
    codecs.decode(b'x', '', 'a\\0b')
    codecs.lookup('a\\0b')
    collections.Counter([[1]])
    bisect.bisect(frozenset(), 1)
    array.array('a', '1')
    binascii.hexlify(1, b'-', [])
    itertools.product(Len())
    operator.length_hint(1, -5)
    struct.pack('e', 2**63)
    struct.pack('f', 10**50)
    struct.pack('d', 10**400)
    struct.pack('f', 1e300)
""".split('\n'):
    if expression.strip():
        try:
            print(expression.strip(), '->', eval(expression.strip()))
        except Exception as error:
            print(expression.strip(), '->', type(error).__name__, error)
