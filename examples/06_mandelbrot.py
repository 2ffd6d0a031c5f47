"""The Mandelbrot set: counted with NumPy, and written as a picture by Python alone (mandelbrot.png)."""

import struct
import zlib

import numpy as np

WIDTH, HEIGHT, MOST = 900, 600, 120


def escape_counts():
    """How many rounds of z*z + c each point stands before it leaves, as a smooth number."""
    x = np.linspace(-2.2, 0.8, WIDTH)
    y = np.linspace(-1.0, 1.0, HEIGHT)
    c = (x + 1j * y[:, None]).ravel()
    counts = np.zeros(c.size)
    inside = np.arange(c.size)
    z = np.zeros(c.size, complex)
    for step in range(MOST):
        z = z * z + c[inside]
        size = z.real**2 + z.imag**2
        gone = size > 256.0
        counts[inside[gone]] = step + 1 - np.log2(np.log2(size[gone]) / 8)
        inside, z = inside[~gone], z[~gone]
        if step % 30 == 29:
            print(f"   round {step + 1}: {inside.size} of {c.size} points are left")
    return counts.reshape(HEIGHT, WIDTH)


def colours(counts):
    phase = np.sqrt(counts / MOST)[:, :, None] * 9.0 + np.array([0.0, 0.7, 1.5])
    image = 127.5 * (1 - np.cos(phase))
    image[counts == 0] = 0
    return image.astype(np.uint8)


def write_png(path, image):
    """8-bit RGB: a signature and three chunks, each with its length and checksum."""
    height, width, _ = image.shape

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + image[y].tobytes() for y in range(height))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
        file.write(chunk(b"IDAT", zlib.compress(rows, 9)))
        file.write(chunk(b"IEND", b""))


counts = escape_counts()
small = counts[HEIGHT // 40 :: HEIGHT // 20, :: WIDTH // 64]
for row in small:
    print("   " + "".join("@" if count == 0 else " .,:;-=+*"[min(8, int(count / 3))] for count in row))
write_png("mandelbrot.png", colours(counts))
print("   wrote mandelbrot.png")
