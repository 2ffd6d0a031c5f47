# Formats of struct and data: what is unpacked packs into what unpacks to the same.
import struct

MOST_BYTES = 1 << 16


def one(data):
    n = data[0] if data else 0
    form, data = data[1:1 + n], data[1 + n:]
    try:
        size = struct.calcsize(form)
    except (struct.error, ValueError):
        return
    assert size >= 0
    if size > MOST_BYTES:
        for use in (lambda: struct.unpack(form, data), lambda: struct.unpack_from(form, data), lambda: struct.pack(form)):
            try:
                use()
            except (struct.error, OverflowError): # more than bytes can hold
                pass
        return
    it = struct.Struct(form)
    padded = data[:size].ljust(size, b'\x7f')
    values = it.unpack(padded)
    packed = it.pack(*values)
    again = it.unpack(packed)
    assert repr(values) == repr(again), (values, again)
    for offset in (0, 1, -1, -size, size, len(data), n - 8, 2**31, -2**63):
        try:
            it.unpack_from(data, offset)
        except struct.error:
            pass
        target = bytearray(data)
        try:
            it.pack_into(target, offset, *values)
        except struct.error:
            pass
    try:
        list(it.iter_unpack(data))
    except struct.error:
        pass
    for odd in ((), ('a',) * len(values), (2**100,) * len(values), (-1,) * len(values), (1.5,) * len(values), values + (1,), (data,) * len(values), (None,) * len(values), (1e300j,) * len(values)):
        try:
            it.pack(*odd)
        except (struct.error, OverflowError, TypeError):
            pass
