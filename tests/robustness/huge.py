"""Sizes that no machine has: MemoryError, OverflowError or ValueError."""
import decimal
import hashlib
import io
import itertools
import struct

HUGE = (2**40, 2**62, 2**63 - 1, 2**64, 2**100)
MAKERS = (
    lambda n: 'x' * n, lambda n: b'x' * n, lambda n: [0] * n, lambda n: (0,) * n, lambda n: bytearray(b'x') * n, bytes, bytearray,
    lambda n: 1 << n, lambda n: f'{1:{n}}', lambda n: f'{1:0{n},}', lambda n: f'{1.5:{n}}', lambda n: f'{1.5:.{n}f}', lambda n: f'{"a":^{n}}',
    lambda n: '{:*^{}}'.format('a', n), lambda n: f'%{n}d' % 1, lambda n: f'%.{n}d' % 1, lambda n: f'%.{n}f' % 1, lambda n: '%*d' % (n, 1),
    lambda n: '%.*f' % (n, 1), lambda n: b'%*d' % (n, 1), lambda n: b'%*s' % (n, b'a'), lambda n: f'%{n}s'.encode() % b'a',
    lambda n: (1).to_bytes(n), lambda n: 'a'.ljust(n), lambda n: b'a'.center(n), lambda n: 'a'.zfill(n), lambda n: '\t'.expandtabs(n),
    lambda n: itertools.tee([], n),
    lambda n: struct.unpack(f'{n}b', b''), lambda n: struct.pack(f'{n}x'), lambda n: struct.Struct(f'{n}b').unpack_from(b''),
    lambda n: hashlib.shake_128().digest(n), lambda n: hashlib.shake_128().hexdigest(n),
    lambda n: (lambda file: (file.seek(n), file.write(b'a')))(io.BytesIO()), lambda n: (lambda file: (file.seek(n), file.write('a')))(io.StringIO()),
    lambda n: io.BytesIO().truncate(n) and None, lambda n: open('/dev/null', 'rb', 0).read(n), lambda n: open('/dev/null', 'rb').read(n),
    lambda n: format(decimal.Decimal(f'1E+{min(n, 10**17)}'), 'f'), lambda n: format(decimal.Decimal(1), f'{n}'), lambda n: format(decimal.Decimal(1), f'.{n}f'),
    lambda n: list(itertools.product([1], repeat=n)), lambda n: list(itertools.combinations([1], n)),
)
for n in HUGE:
    for index, make in enumerate(MAKERS):
        try:
            make(n)
        except (MemoryError, OverflowError, ValueError, struct.error, OSError):
            pass

# The exponent is a number, whatever the digits that it stands for would take.
assert format(decimal.Decimal('1E+1000000000000'), 'e') == '1e+1000000000000'
assert format(decimal.Decimal('1E-1000000000000'), '.2g') == '1e-1000000000000'
