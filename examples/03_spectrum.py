"""Fourier transform: three tones are found again in a second of noise."""

import numpy as np

rate = 4000
time = np.arange(rate) / rate
tones = {262: 1.0, 330: 0.6, 392: 0.8}
random = np.random.default_rng(1)
sound = sum(volume * np.sin(2 * np.pi * hertz * time) for hertz, volume in tones.items())
sound += random.normal(0.0, 0.5, rate)

spectrum = np.abs(np.fft.rfft(sound)) * 2 / rate
loudest = np.sort(np.argsort(spectrum)[-3:])
for hertz in loudest:
    print(f"   {hertz:4d} Hz {'#' * round(40 * spectrum[hertz])} {spectrum[hertz]:.2f}")
assert list(loudest) == sorted(tones)
