#!/usr/bin/python3
"""Rewrites testdata/eval: small pictures, and what other implementations measure on them.

The metrics are written once more here, from their definitions and on NumPy and SciPy: one 2-D
window instead of two 1-D ones, SciPy's own PCHIP and numerical integration. Run by hand:
    /usr/bin/python3 tests/eval/make_reference.py     (python3-numpy, python3-scipy, python3-pil)
"""
import io
import json
import os

import numpy as np
from PIL import Image
from scipy.integrate import quad
from scipy.interpolate import PchipInterpolator
from scipy.signal import convolve2d

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, '..', '..', 'testdata', 'eval')
WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]


def psnr(a, b):
    return float(10 * np.log10(255.0 ** 2 / np.mean((a - b) ** 2)))


def ycbcr(p):
    r, g, b = (p[..., i] for i in range(3))
    y = 0.299 * r + 0.587 * g + 0.114 * b
    return y, 0.5 * (b - y) / (1 - 0.114), 0.5 * (r - y) / (1 - 0.299)


def window():
    x = np.arange(11) - 5
    g = np.exp(-(x[:, None] ** 2 + x[None, :] ** 2) / (2 * 1.5 ** 2))
    return g / g.sum()


def ssim_maps(a, b):
    blur = lambda v: convolve2d(v, window(), mode='valid')
    ma, mb = blur(a), blur(b)
    va, vb, vab = blur(a * a) - ma ** 2, blur(b * b) - mb ** 2, blur(a * b) - ma * mb
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    cs = (2 * vab + c2) / (va + vb + c2)
    return (2 * ma * mb + c1) / (ma ** 2 + mb ** 2 + c1) * cs, cs


def msssim(a, b):
    value = 1.0
    for i, w in enumerate(WEIGHTS):
        s, cs = ssim_maps(a, b)
        value *= (s if i == 4 else cs).mean() ** w
        h, v = a.shape[0] // 2, a.shape[1] // 2
        a, b = (p[:2 * h, :2 * v].reshape(h, 2, v, 2).mean(axis=(1, 3)) for p in (a, b))
    return float(value)


def measure(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    ya, yb = ycbcr(a), ycbcr(b)
    planes = [psnr(p, q) for p, q in zip(ya, yb)]
    return {
        'psnr': psnr(a, b),
        'psnr-y': planes[0],
        'psnr-ycbcr': (6 * planes[0] + planes[1] + planes[2]) / 8,
        'ssim': float(ssim_maps(ya[0], yb[0])[0].mean()),
        'msssim': msssim(ya[0], yb[0]),
        'msssim-rgb': float(np.mean([msssim(a[..., c], b[..., c]) for c in range(3)])),
    }


def bd(anchor, tested):
    a, t = np.array(anchor), np.array(tested)
    lo, hi = max(a[0, 1], t[0, 1]), min(a[-1, 1], t[-1, 1])
    f = PchipInterpolator(t[:, 1], np.log(t[:, 0]))
    g = PchipInterpolator(a[:, 1], np.log(a[:, 0]))
    d = quad(lambda q: f(q) - g(q), lo, hi, limit=500)[0] / (hi - lo)
    left, right = np.log(max(a[0, 0], t[0, 0])), np.log(min(a[-1, 0], t[-1, 0]))
    f = PchipInterpolator(np.log(t[:, 0]), t[:, 1])
    g = PchipInterpolator(np.log(a[:, 0]), a[:, 1])
    dq = quad(lambda r: f(r) - g(r), left, right, limit=500)[0] / (right - left)
    return {'anchor': anchor, 'tested': tested, 'bd_rate': float((np.exp(d) - 1) * 100),
            'quality': [lo, hi], 'bd_quality': float(dq),
            'rate': [float(np.exp(left)), float(np.exp(right))]}


def main():
    os.makedirs(OUT, exist_ok=True)
    demo = Image.open(os.path.join(HERE, '..', '..', 'testdata', 'demo.png')).convert('RGB')
    original = demo.crop((290, 170, 290 + 199, 170 + 181))  # odd sides, wide enough for five scales
    original.save(os.path.join(OUT, 'original.png'), optimize=True)
    pixels = np.asarray(original)
    cases = {}
    for quality in (10, 60):
        jpeg = io.BytesIO()
        original.save(jpeg, 'jpeg', quality=quality)
        cases['jpeg%d' % quality] = np.asarray(Image.open(jpeg).convert('RGB'))
    noise = np.random.default_rng(1).integers(-20, 21, pixels.shape)
    cases['noise'] = np.clip(pixels.astype(int) + noise, 0, 255).astype(np.uint8)
    reference = {'made_by': 'tests/eval/make_reference.py', 'pictures': {}}
    for name, decoded in cases.items():
        Image.fromarray(decoded).save(os.path.join(OUT, name + '.png'), optimize=True)
        reference['pictures'][name] = measure(pixels, decoded)
    reference['bd'] = [
        bd([[0.1, 25], [0.2, 27.5], [0.4, 30.1], [0.8, 33.2], [1.6, 37]],
           [[0.08, 24.6], [0.15, 27], [0.33, 30.6], [0.7, 33.9], [1.5, 38.1]]),
        bd([[0.25, 8.1], [0.3, 9.2], [0.9, 16], [2.5, 22]], [[0.1, 9.9], [0.12, 10], [2, 25]]),
        bd([[0.5, 30], [1, 33]], [[0.6, 30], [1.2, 33]]),  # a fifth more bits everywhere
    ]
    with open(os.path.join(OUT, 'reference.json'), 'w') as f:
        json.dump(reference, f, indent=1)
        f.write('\n')


if __name__ == '__main__':
    main()
