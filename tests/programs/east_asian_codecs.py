"""East Asian codecs: every code of two bytes, every character, and what is between them, as sums."""

import codecs
import zlib

CODECS = """gb2312 gbk gb18030 hz big5 cp950 big5hkscs cp932 shift_jis euc_jp shift_jisx0213 shift_jis_2004 euc_jisx0213 euc_jis_2004
    euc_kr cp949 johab iso2022_jp iso2022_jp_1 iso2022_jp_2 iso2022_jp_3 iso2022_jp_2004 iso2022_jp_ext iso2022_kr""".split()

CHARACTERS = [chr(code) for code in range(0x30000) if not 0xD800 <= code < 0xE000]
TEXT = "\n".join("".join(CHARACTERS[at:at + 64]) for at in range(0, len(CHARACTERS), 64))


def total(data):
    return format(zlib.crc32(data), "08x")


def decoded(codec):
    parts = []
    for lead in range(0x80, 0x100):
        codes = b"".join(bytes([lead, trail, 0x0A]) for trail in range(0x30, 0x100))
        parts.append(codes.decode(codec, "replace"))
    return "".join(parts)


for codec in CODECS:
    written = TEXT.encode(codec, "ignore")
    print(codec, len(written), total(written), total(written.decode(codec, "replace").encode()), total(decoded(codec).encode()))

for codec in "euc_jp", "euc_jisx0213", "euc_jis_2004":
    rows = b"".join(bytes([0x8F, row, cell, 0x0A]) for row in range(0xA1, 0xFF) for cell in range(0xA1, 0xFF))
    print(codec, total(rows.decode(codec, "replace").encode()))

# Characters that wait for the next one.
for codec in "shift_jis_2004", "euc_jis_2004", "iso2022_jp_3", "iso2022_jp_2004", "big5hkscs":
    encoder = codecs.getincrementalencoder(codec)()
    pieces = []
    for character in "\u00e6\u0300\u00e6x\u304b\u309a\u02e9\u02e5\u02e5\u00ca\u0304\u00ca":
        try:
            pieces.append(encoder.encode(character))
        except UnicodeEncodeError as error:
            pieces.append(error.reason)
        pieces.append(encoder.getstate())
    pieces.append(encoder.encode("", True))
    print(codec, pieces)

# Sets that are designated and those that come for one character.
for data in (
    b"\x1b.A\x1bNi\x1b.F\x1bNa\x1bNi",
    b"\x1b.A\x1bN\x1bN",
    b"\x1bNi",
    b"\x1b$(P!!\x1b(B",
    b"\x1b$)C\x0e0!\x0f0!",
    b"\x1b(I1\x1b(J\\~\x1b(B\\~",
):
    for codec in "iso2022_jp", "iso2022_jp_2", "iso2022_jp_3", "iso2022_jp_2004", "iso2022_jp_ext", "iso2022_kr":
        print(codec, ascii(data.decode(codec, "backslashreplace")))

decoder = codecs.getincrementaldecoder("iso2022_jp_2")()
for byte in "éα日é".encode("iso2022_jp_2"):
    print(ascii(decoder.decode(bytes([byte]))), decoder.getstate())
