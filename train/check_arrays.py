#!/usr/bin/python3
"""Toy recordings for `./dev train-check`: check_arrays.py FOLDER writes two .npy of (time, channel), sums of waves and noise, and
a volume of blobs into FOLDER/volumes."""
import os
import sys

import numpy as np

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)
for seed in range(2):
    rng = np.random.default_rng(seed)
    t = np.arange(4000)[:, None] / (20 + 10 * seed)
    mixed = np.sin(t * np.array([[1, 1.7, 2.9]])) @ rng.normal(size=(3, 6)) + 0.05 * rng.normal(size=(4000, 6))
    np.save(os.path.join(folder, f'toy_{seed}.npy'), mixed.astype(np.float32))

rng = np.random.default_rng(9)
z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (12, 128, 136)), indexing='ij')
volume = np.zeros(z.shape)
for _ in range(40):
    at, size = rng.uniform(-1, 1, 3), rng.uniform(0.1, 0.5)
    volume[np.hypot(np.hypot(z - at[0], y - at[1]), x - at[2]) < size] += rng.uniform(20, 90)
os.makedirs(os.path.join(folder, 'volumes'), exist_ok=True)
np.save(os.path.join(folder, 'volumes', 'blobs.npy'), np.clip(volume + rng.normal(0, 3, z.shape), 0, 255).round().astype(np.uint8))
