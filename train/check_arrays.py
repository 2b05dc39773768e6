#!/usr/bin/python3
"""Toy recordings for `./dev train-check`: check_arrays.py FOLDER writes two .npy of (time, channel), sums of waves and noise."""
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
