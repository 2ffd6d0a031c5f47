# wheels: msgpack==1.2.4 cbor2==6.2.1 lz4==4.4.5 zstandard==0.25.0
"""Formats and compressors of C, Cython and Rust: msgpack, cbor2, lz4, zstandard."""
import datetime
import decimal
import io

import cbor2
import lz4.block
import lz4.frame
import msgpack
import zstandard

UTC = datetime.timezone.utc
when = datetime.datetime(2024, 2, 29, 12, 30, 45, 123456, tzinfo=UTC)
value = {"a": [1, -2, 2**40, 1.5, None, True], "b": b"bytes", "c": {"d": "snow \u2603"}, "e": list(range(20))}
packed = msgpack.packb(value)
print(len(packed), packed[:12], msgpack.unpackb(packed) == value)
print(msgpack.unpackb(msgpack.packb(when, datetime=True), timestamp=3), msgpack.packb(msgpack.Timestamp(1, 2)))
print(msgpack.packb({1, 2}, default=lambda item: sorted(item)), msgpack.unpackb(b"\xc7\x01\x05x"))
unpacker = msgpack.Unpacker(io.BytesIO(packed * 3), raw=False, max_buffer_size=1000)
print(sum(item == value for item in unpacker), unpacker.tell())
for bad in [b"\x81", b"\xc1", b"\x91\x01\x02"]:
    try:
        print(msgpack.unpackb(bad))
    except Exception as error:
        print(type(error).__name__, error)
hooked = msgpack.unpackb(packed, object_pairs_hook=lambda pairs: [key for key, _ in pairs])
print(hooked)

data = {"t": when, "d": decimal.Decimal("1.25"), "big": 2**100, "s": [1, (2, 3)], 5: {"f": 1.1}, "n": None}
encoded = cbor2.dumps(data)
print(len(encoded), cbor2.loads(encoded))
print(cbor2.loads(cbor2.dumps(cbor2.CBORTag(4000, [1]))), cbor2.dumps(datetime.date(2024, 1, 2), date_as_datetime=True, timezone=UTC))
try:
    cbor2.loads(b"\x82\x01")
except cbor2.CBORDecodeEOF as error:
    print(type(error).__name__)

text = b"the same words over and over " * 1000
for level in (0, 3, 9):
    frame = lz4.frame.compress(text, compression_level=level)
    print(level, len(frame) < 1000, lz4.frame.decompress(frame) == text)
block = lz4.block.compress(text)
print(len(block) < 1000, lz4.block.decompress(block) == text)
with lz4.frame.open(stream := io.BytesIO(), "wb") as writer:
    writer.write(text)
    writer.write(b"end")
    print(writer.tell())
try:
    lz4.frame.decompress(b"not a frame")
except RuntimeError as error:
    print(str(error)[:30])

compressor = zstandard.ZstdCompressor(level=5, write_checksum=True)
small = compressor.compress(text)
print(len(small) < 200, zstandard.ZstdDecompressor().decompress(small) == text, zstandard.get_frame_parameters(small).content_size)
chunks = compressor.compressobj()
stream = chunks.compress(text[:5000]) + chunks.compress(text[5000:]) + chunks.flush()
print(b"".join(zstandard.ZstdDecompressor().read_to_iter(io.BytesIO(stream), read_size=100)) == text)
words = zstandard.train_dictionary(1024, [b"record number %d of many records" % n for n in range(2000)])
with_words = zstandard.ZstdCompressor(dict_data=words)
short = with_words.compress(b"record number 77 of many records")
print(len(short) < 40, zstandard.ZstdDecompressor(dict_data=words).decompress(short))
try:
    zstandard.ZstdDecompressor().decompress(b"nonsense")
except zstandard.ZstdError as error:
    print(error)
