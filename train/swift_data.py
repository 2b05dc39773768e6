"""Training pictures as u8 arrays in memory, each at a random smaller size as well, and random crops."""
import glob
import os

import numpy as np
from PIL import Image

HELD_OUT = 12  # every file whose index is a multiple of len // 12 is for validation only


def load(folder, scales=(1.0, 0.6), seed=1, limit=None):
    """Returns (train, held_out): lists of u8 {height, width, 3}. The pack is lossy WebP with 4:2:0
    chroma; the reduced copies have clean, full-resolution chroma."""
    if not os.path.isdir(folder):
        raise SystemExit(f'{folder}: no such folder')
    files = sorted(f for e in ('png', 'webp', 'jpg') for f in glob.glob(os.path.join(folder, '*.' + e)))[:limit]
    if not files:
        raise SystemExit(f'{folder}: no pictures')
    rng, train, held = np.random.default_rng(seed), [], []
    every = max(2, len(files) // HELD_OUT)
    for i, f in enumerate(files):
        im = Image.open(f).convert('RGB')
        for s in scales:
            s *= 1 if s == 1 else rng.uniform(0.8, 1.2)
            w, h = round(im.width * s), round(im.height * s)
            a = np.asarray(im if s == 1 else im.resize((w, h), Image.LANCZOS))
            if min(a.shape[:2]) >= 264:
                (held if i % every == 0 else train).append(a)
    if not train:
        raise SystemExit(f'{folder}: no picture to train on with sides of 264 and more')
    return train, held


class Crops:
    """Random square crops, mirrored and turned at random; big pictures are drawn more often."""

    def __init__(self, images, size, seed):
        self.images, self.size = images, size
        self.rng = np.random.default_rng(seed)
        n = np.array([a.shape[0] * a.shape[1] for a in images], np.float64)
        self.p = n / n.sum()

    def batch(self, count):
        out = np.empty((count, self.size, self.size, 3), np.uint8)
        for k, i in enumerate(self.rng.choice(len(self.images), count, p=self.p)):
            a = self.images[i]
            y = self.rng.integers(0, a.shape[0] - self.size + 1)
            x = self.rng.integers(0, a.shape[1] - self.size + 1)
            c = a[y:y + self.size, x:x + self.size]
            if self.rng.random() < 0.5:
                c = c[:, ::-1]
            out[k] = np.rot90(c, self.rng.integers(0, 4)) if self.rng.random() < 0.3 else c
        return out
