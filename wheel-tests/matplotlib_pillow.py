# wheels: numpy==2.5.5 matplotlib==3.11.2 pillow==13.0.0
"""Matplotlib draws with Agg into a PNG; Pillow reads it back, and draws, transforms and saves images of its own."""

import io

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

figure, axes = plt.subplots(2, 2, figsize=(4, 3), dpi=80)
x = np.linspace(0, 2 * np.pi, 50)
axes[0, 0].plot(x, np.sin(x), "r-", label="sin")
axes[0, 0].plot(x, np.cos(x), "b--", label="cos")
axes[0, 0].legend(loc="upper right")
axes[0, 0].set_title("$\\alpha + \\beta^2$")
axes[0, 1].bar(["a", "b", "c"], [3, 1, 2], color=["red", "green", "blue"])
axes[1, 0].imshow(np.arange(16).reshape(4, 4), cmap="viridis")
axes[1, 1].scatter([1, 2, 3], [3, 1, 2], s=[10, 40, 90], c=[0, 1, 2])
figure.tight_layout()
buffer = io.BytesIO()
figure.savefig(buffer, format="png")
print(buffer.getvalue()[:8], [len(ax.get_children()) > 5 for ax in axes.flat], axes[0, 0].get_xlim()[0] < 0)
print([text.get_text() for text in axes[0, 0].get_legend().get_texts()], axes[1, 1].get_ylim())
plt.close(figure)

picture = Image.open(io.BytesIO(buffer.getvalue()))
print(picture.format, picture.size, picture.mode)
pixels = np.asarray(picture)
print(pixels.shape, pixels.dtype, pixels[0, 0].tolist(), int((pixels[..., 0] < 128).sum()) > 500)
print((pixels == [255, 0, 0, 255]).all(axis=2).sum() > 100)

image = Image.new("RGB", (32, 24), (10, 20, 30))
draw = ImageDraw.Draw(image)
draw.rectangle([4, 4, 12, 12], fill="white", outline="red")
draw.ellipse([16, 4, 28, 16], fill=(0, 200, 0))
draw.line([(0, 23), (31, 0)], fill="blue", width=2)
print(image.getpixel((8, 8)), image.getpixel((22, 10)), image.getpixel((0, 0)), image.getbbox())
for change in (
    lambda im: im.rotate(90, expand=True),
    lambda im: im.resize((8, 6), Image.Resampling.BILINEAR),
    lambda im: im.convert("L"),
    lambda im: im.filter(ImageFilter.GaussianBlur(1)),
    lambda im: ImageOps.invert(im),
    lambda im: ImageChops.offset(im, 3),
    lambda im: im.crop((4, 4, 12, 12)),
    lambda im: im.quantize(4).convert("RGB"),
):
    changed = change(image)
    print(changed.size, changed.mode, changed.getextrema())
for kind in ("PNG", "BMP", "GIF", "TIFF", "JPEG", "WEBP"):
    stream = io.BytesIO()
    image.save(stream, kind)
    again = Image.open(io.BytesIO(stream.getvalue()))
    again.load()
    print(kind, again.format, again.size, again.mode)
array = np.asarray(image)
print(array.shape, int(array.sum()), Image.fromarray(array[::-1]).getpixel((0, 0)))
try:
    Image.open(io.BytesIO(b"no picture"))
except OSError as error:
    print(type(error).__name__)
