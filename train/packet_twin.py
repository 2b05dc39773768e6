#!/usr/bin/env python3
"""The float twin of transforms/packets.h, for training, and a check of it.

    python3 train/packet_twin.py        # the check; NumPy only

`forward` and `inverse` take NumPy arrays or PyTorch tensors. The bank is bior4.4 (CDF 9/7 at unit norm, PyWavelets' signs)
with whole-sample symmetry at the ends; docs/format/packet.md section 4 says how the integers of the codec relate to it.
"""
import itertools

FACTORS = (-1.586134342059924, -0.052980118572961, 0.882911075530934, 0.443506852043971)
FIXED = (-103949, -3472, 57862, 29066)  # the same in 2^-16
SCALE = 1.149604398860241


def _take(x, axis, part):
    return x[(slice(None),) * axis + (part,)]


def _join(parts, axis):
    if type(parts[0]).__module__.startswith("torch"):
        import torch
        return torch.cat(parts, axis)
    import numpy
    return numpy.concatenate(parts, axis)


def _around(x, axis, count, first):
    """x[i] + x[i + 1] with x[-1] = x[0] and x[n] = x[n - 1], for `count` values of i from `first` on."""
    n = x.shape[axis]
    parts = [x] if first == 0 else [_take(x, axis, slice(0, 1)), x]
    if first + count + 1 > n:
        parts.append(_take(x, axis, slice(n - 1, n)))
    y = _join(parts, axis)
    return _take(y, axis, slice(0, count)) + _take(y, axis, slice(1, count + 1))


def _steps(low, high, axis, add, order):
    for i in order:
        if i % 2 == 0:
            high = add(high, _around(low, axis, high.shape[axis], 0), i)
        else:
            low = add(low, _around(high, axis, low.shape[axis], -1), i)
    return low, high


def split(x, axis):
    """One level along one axis: (low, high)."""
    n = x.shape[axis]
    low, high = _take(x, axis, slice(0, n, 2)), _take(x, axis, slice(1, n, 2))
    if n < 2:
        return low, high
    low, high = _steps(low, high, axis, lambda v, s, i: v + FACTORS[i] * s, range(4))
    return low * SCALE, high * (-1 / SCALE)


def merge(low, high, axis):
    n = low.shape[axis] + high.shape[axis]
    if n < 2:
        return low
    low, high = _steps(low / SCALE, high * -SCALE, axis, lambda v, s, i: v - FACTORS[i] * s, (3, 2, 1, 0))
    even = [_take(low, axis, slice(i, i + 1)) for i in range(low.shape[axis])]
    odd = [_take(high, axis, slice(i, i + 1)) for i in range(high.shape[axis])]
    return _join([v for v in itertools.chain(*itertools.zip_longest(even, odd)) if v is not None], axis)


def forward(x, axis, levels):
    """Full packets along `axis`, the bands one after another in natural order."""
    if levels == 0:
        return x
    return _join([forward(band, axis, levels - 1) for band in split(x, axis)], axis)


def inverse(x, axis, levels):
    if levels == 0 or x.shape[axis] < 1:
        return x
    middle = (x.shape[axis] + 1) // 2
    low = inverse(_take(x, axis, slice(0, middle)), axis, levels - 1)
    high = inverse(_take(x, axis, slice(middle, x.shape[axis])), axis, levels - 1)
    return merge(low, high, axis)


def channels(x, levels):
    """[channels, ...] with sides divisible by 2^levels to the layout of the seeds: [channels * 2^(levels * D), ...], the
    first level's digit most significant, and in a digit the last axis most significant."""
    dims = len(x.shape) - 1
    x = x[None] if dims == 0 else x.reshape((x.shape[0], 1) + tuple(x.shape[1:]))
    for _ in range(levels):
        bands = [x]
        for axis in range(dims + 1, 1, -1):
            bands = [part for band in bands for part in split(band, axis)]
        x = _join([b.reshape(tuple(b.shape[:2]) + (1,) + tuple(b.shape[2:])) for b in bands], 2)
        x = x.reshape((x.shape[0], -1) + tuple(x.shape[3:]))
    return x.reshape((-1,) + tuple(x.shape[2:]))


def _check():
    import numpy as np

    low_taps = (0.852698679009, 0.377402855613, -0.110624404418, -0.023849465019, 0.037828455507)
    high_taps = (-0.788485616406, 0.418092273222, 0.040689417610, -0.064538882629)
    rng = np.random.default_rng(1)
    for n in (9, 10, 33, 64):
        x = rng.uniform(-1, 1, n)
        low, high = split(x, 0)
        wide = np.concatenate([x[4:0:-1], x, x[-2:-6:-1]])
        for taps, band, first in ((low_taps, low, 0), (high_taps, high, 1)):
            full = np.concatenate([taps[:0:-1], taps])
            reach = len(taps) - 1
            want = [full @ wide[4 + k - reach:4 + k + reach + 1] for k in range(first, n, 2)]
            assert np.abs(want - band).max() < 1e-10, (n, first)

    def fixed(x, levels):  # the integers of the codec, one axis
        if levels == 0 or len(x) < 2:
            return x
        low, high = _steps(x[0::2], x[1::2], 0, lambda v, s, i: v + ((FIXED[i] * s + (1 << 15)) >> 16), range(4))
        return np.concatenate([fixed(low, levels - 1), fixed(high, levels - 1)])

    for n, levels in ((64, 3), (37, 2), (5, 3), (1, 1), (2, 2)):
        x = rng.integers(-(1 << 20), 1 << 20, n)
        sizes = np.array([1.0])
        for _ in range(levels):
            sizes = np.concatenate([[s * SCALE, s / -SCALE] for s in sizes])
        ints, floats = fixed(x, levels), forward(x.astype(float), 0, levels)
        assert np.abs(inverse(floats, 0, levels) - x).max() < 1e-6
        if n % (1 << levels) == 0:
            error = np.abs(ints * np.repeat(sizes, n >> levels) - floats).max()
            assert error < 2e-4 * (1 << 20), error
    assert fixed(np.array([1000, 1200, 2000, 800, 400]), 1).tolist() == EXAMPLE, fixed(
        np.array([1000, 1200, 2000, 800, 400]), 1)
    x = rng.uniform(-1, 1, (2, 16, 8))
    c = channels(x, 2)
    assert c.shape == (32, 4, 2)
    by_axis = forward(forward(x, 2, 2), 1, 2)
    for ch, w1, h1, w2, h2 in itertools.product(range(2), *[range(2)] * 4):
        rows, columns = slice((2 * h1 + h2) * 4, None), slice((2 * w1 + w2) * 2, None)
        want = by_axis[ch, rows, columns][:4, :2]
        assert np.abs(c[ch * 16 + (2 * w1 + h1) * 4 + 2 * w2 + h2] - want).max() < 1e-12
    print("packet_twin: ok")


EXAMPLE = [1138, 2096, 454, -269, -299]  # of docs/format/packet.md

if __name__ == "__main__":
    _check()
