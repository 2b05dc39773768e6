#!/usr/bin/python3
"""Hyperspectral cubes made of pictures, to fit a model of arrays to where no free recording is at hand.

    train/make_spectral.py --pictures FOLDER --out FOLDER [--count 10] [--seed 1]

Each cube, (band, row, column) of u16, is a scene of 3 to 6 materials. How much of each lies where comes from the planes of a
picture, shrunk; their spectra are smooth sums of Gaussians with dips where something absorbs; all is lit by one light with
the dips of an atmosphere, seen by a sensor whose bands have a gain, an offset and noise of their own (of photons and of
reading, with some bad bands), and written with 12 to 16 bits. Numbers are drawn at random from the seed: no recording is looked at.
"""
import argparse
import glob
import os

import numpy as np
from PIL import Image


def bumps(wave, count, width, rng):
    """A smooth curve along the bands: Gaussians of random place, width and height."""
    centre, sigma = rng.uniform(-0.1, 1.1, count), rng.uniform(*width, count)
    height = rng.uniform(0.2, 1, count)
    return (height[:, None] * np.exp(-0.5 * ((wave - centre[:, None]) / sigma[:, None]) ** 2)).sum(0)


def dips(wave, count, width, depth, rng):
    return np.exp(-sum((rng.uniform(*depth) * np.exp(-0.5 * ((wave - rng.uniform(0, 1)) / rng.uniform(*width)) ** 2)
                        for _ in range(count)), np.zeros_like(wave)))


def abundances(path, side, materials, rng):
    """Shares of the materials in each place, from the picture's colours and how they differ from their surroundings."""
    image = Image.open(path).convert('RGB')
    scale = max(rng.uniform(0.12, 0.5), (side + 1) / min(image.size))
    image = image.resize((max(side, round(image.width * scale)), max(side, round(image.height * scale))), Image.BOX)
    y, x = rng.integers(0, image.height - side + 1), rng.integers(0, image.width - side + 1)
    rgb = np.asarray(image, np.float64)[y:y + side, x:x + side] / 255
    planes = np.concatenate([rgb, rgb.max(-1, keepdims=True), rgb.max(-1, keepdims=True) - rgb.min(-1, keepdims=True),
                             np.ones_like(rgb[..., :1])], -1)
    scores = planes @ rng.normal(0, 1, (planes.shape[-1], materials))
    scores = (scores - scores.mean((0, 1))) / (scores.std((0, 1)) + 1e-3) + rng.normal(0, 0.7, materials)
    shares = np.exp(rng.uniform(0.8, 3) * scores)
    light = 0.4 + 0.6 * rgb.mean(-1)  # shade falls on all bands alike
    return shares / shares.sum(-1, keepdims=True), light ** rng.uniform(0.3, 1)


def cube(path, rng):
    bands, side, materials = int(rng.integers(60, 221)), int(rng.integers(56, 97)), int(rng.integers(3, 7))
    wave = np.linspace(0, 1, bands)
    spectra = np.stack([0.02 + bumps(wave, int(rng.integers(3, 9)), (0.03, 0.4), rng) *
                        dips(wave, int(rng.integers(0, 4)), (0.01, 0.06), (0.1, 1), rng) for _ in range(materials)])
    spectra *= (rng.uniform(0.15, 0.8, materials) / spectra.max(1))[:, None]
    shares, shade = abundances(path, side, materials, rng)
    sun = wave ** 0.3 * np.exp(-rng.uniform(0.5, 2.5) * wave) if rng.random() < 0.5 else np.ones_like(wave)  # or its reflectance
    sun = sun / sun.max() * dips(wave, int(rng.integers(2, 8)), (0.004, 0.03), (0.1, 3), rng)
    seen = np.einsum('yxm,mb->byx', shares, spectra) * shade * (sun * rng.uniform(0.93, 1.07, bands))[:, None, None]
    seen += (rng.uniform(0, 0.01) * (1 + 0.3 * rng.normal(size=bands)))[:, None, None]
    bits, full = int(rng.integers(12, 17)), rng.uniform(0.5, 0.95)
    photons, reading = 10 ** rng.uniform(3.5, 5.5), 10 ** rng.uniform(-4, -2.7)
    noise = reading * rng.lognormal(0, 0.5, bands)
    noise[rng.random(bands) < 0.03] *= 5
    seen *= full / np.quantile(seen, 0.9995)
    seen += rng.normal(size=seen.shape) * np.sqrt(np.maximum(seen, 0) / photons + noise[:, None, None] ** 2)
    top = 2 ** bits - 1
    return np.clip(np.round(seen * top), 0, top).astype(np.uint16)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--pictures', required=True)
    p.add_argument('--out', required=True)
    p.add_argument('--count', type=int, default=10)
    p.add_argument('--seed', type=int, default=1)
    args = p.parse_args()
    rng = np.random.default_rng(args.seed)
    files = sorted(f for e in ('png', 'webp', 'jpg') for f in glob.glob(os.path.join(args.pictures, '*.' + e)))
    if not files:
        raise SystemExit(f'{args.pictures}: no pictures')
    os.makedirs(args.out, exist_ok=True)
    for i, k in enumerate(rng.choice(len(files), args.count, replace=len(files) < args.count)):
        made = cube(files[k], rng)
        np.save(os.path.join(args.out, f'cube{i:03d}.npy'), made)
        print(f'cube{i:03d}: {os.path.basename(files[k])}, {"x".join(map(str, made.shape))}, 0 to {made.max()}')


if __name__ == '__main__':
    main()
