#!/usr/bin/env python3
"""Spectrograms of an excerpt, as it was, by ours and by Opus at equal bytes: the pictures of docs/guide-sound.md.

    python3 bench/sound_pictures.py build/release/apps/godwit FILE KBPS music|voice OUT.png

Seconds 1 to 4, the mean of the channels, 0 Hz at the bottom; 90 dB from black to white. NumPy and Pillow.
"""
import sys

import numpy as np
from PIL import Image, ImageDraw

import sound_metrics as metrics
import sound_rivals as rivals


def spectrogram(x, rate):
    size, hop = (2048, 256) if rate > 32000 else (512, 96)
    x = x.mean(1)[rate:4 * rate]
    window = metrics.hann(size)
    power = np.abs(np.fft.rfft(metrics.frames_of(x, size, hop) * window)) ** 2 / (window @ window) * 2
    rows = power.T[::-1]
    fold = max(1, rows.shape[0] // 256)  # four bins to a row of music
    rows = rows[-(rows.shape[0] // fold * fold):].reshape(-1, fold, rows.shape[1]).mean(1)
    level = np.clip((10 * np.log10(rows + 1e-12) + 80) / 90, 0, 1)
    return Image.fromarray((level * 23 + 0.5).astype(np.uint8) * 11)


def main():
    program, path, kbps, kind, out = sys.argv[1:]
    x, rate = rivals.read(path)
    size, opus = rivals.opus(x, rate, float(kbps), kind == "voice")
    _, ours = rivals.godwit(program, path, size, kind)
    pictures = [(name, spectrogram(s, rate)) for name, s in (("original", x), ("godwit", ours), ("opus", opus))]
    width, height = pictures[0][1].size
    page = Image.new("L", (width, 3 * (height + 14)), 255)
    draw = ImageDraw.Draw(page)
    for i, (name, picture) in enumerate(pictures):
        rate_name = "" if name == "original" else f", {size * 8e-3 * rate / len(x):.1f} kb/s"
        draw.text((2, i * (height + 14) + 1), f"{name}{rate_name}, 0 to {rate // 2} Hz", fill=0)
        page.paste(picture, (0, i * (height + 14) + 14))
    page.quantize(32).save(out, optimize=True)


if __name__ == "__main__":
    main()
