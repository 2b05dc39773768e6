"""The fixed shape of the swift codec's latents; docs/format/image.md section 2 is the contract.

An 8x8 block of three colour planes gives 192 coefficients, channel = plane * 64 + v * 8 + u (v counts
vertical frequency). The DC planes go through a second, 4x4 transform, so the coarsest scale is 32x32.
"""
import numpy as np

BLOCK, COARSE = 8, 4
BANDS = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (8, 9), (10, 14)]  # u + v, inclusive
LAYERS = 8
# LAYER_OF_BAND[plane kind][band]: the layer that carries a band; 0 and 1 are the coarse scale.
LAYER_OF_BAND = {'luma': [2, 2, 3, 3, 4, 4, 5, 5, 6], 'chroma': [2, 3, 4, 4, 5, 5, 6, 6, 7]}
# Step below which the synthesis works at a coarser step of its own, by number of layers decoded (1..8).
STEP_FLOOR = [0, 96, 48, 32, 24, 16, 8, 4, 0]


def dct(n):
    k, i = np.arange(n)[:, None], np.arange(n)[None]
    m = np.cos(np.pi * (2 * i + 1) * k / (2 * n)) * np.sqrt(2 / n)
    m[0] /= np.sqrt(2)
    return m


# Rows: luma, red-blue, green-magenta. Orthonormal, so equal steps are optimal for squared error in RGB.
COLOUR = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])


def band_of(channel):
    """Band 0..8 of a channel 0..191, or -1 for DC."""
    s = channel % 8 + channel % 64 // 8
    return -1 if s == 0 else next(i for i, (a, b) in enumerate(BANDS) if a <= s <= b)


def layer_of(channel):
    b = band_of(channel)
    return 1 if b < 0 else LAYER_OF_BAND['luma' if channel < 64 else 'chroma'][b]


LAYER = np.array([layer_of(c) for c in range(192)])
AC = [c for c in range(192) if c % 64]
DC = [0, 64, 128]


def compand_table():
    """Input table of the synthesis: magnitude 0..63 (more counts as 63) -> 0..127; the sign is kept."""
    return np.round(127 * np.log2(1 + np.arange(64)) / 6).astype(np.int32)


STEP_KNOTS = np.array([1.0, 2.5, 4.0, 5.5, 7.0, 8.5])  # log2 of the step, hat functions


def conditioning(log2_step, layers):
    """13 values 0..255: six hats over log2(step), seven flags 'layer k is present' for k = 1..7."""
    d = 1 - np.abs(np.clip(log2_step, STEP_KNOTS[0], STEP_KNOTS[-1]) - STEP_KNOTS) / 1.5
    return np.concatenate([np.maximum(0, d), (np.arange(1, 8) < layers)]).astype(np.float32)
