#!/usr/bin/python3
"""Writes small synthetic pictures for `./dev train-check`: check_pictures.py FOLDER COUNT"""
import os
import sys

import numpy as np
from PIL import Image

import replay

if __name__ == '__main__':
    folder, count = sys.argv[1], int(sys.argv[2])
    os.makedirs(folder, exist_ok=True)
    for i in range(count):
        Image.fromarray(replay.picture(np.random.default_rng(i), 288)).save(os.path.join(folder, f'{i:03}.png'))
