"""Slices to train a synthesis network of arrays on: what build/release/train/record_slices leaves of arrays and pictures."""
import glob
import os
import subprocess

import numpy as np
from PIL import Image

EDGE = 32000  # in 1/64 of a step: where there is no bound


def variants(a):
    """An array, and of a volume: cut along other axes, at half its size, and with other curves of brightness."""
    yield a
    if a.ndim != 3:
        return
    yield a.transpose(1, 0, 2) if min(a.shape) > 64 else a.transpose(0, 2, 1)
    yield a.transpose(2, 0, 1) if min(a.shape) > 64 else a[:, ::-1]
    yield a[::2, ::2, ::2] if min(a.shape) > 64 else a[:, ::2, ::2]
    low, top = float(a.min()), max(float(a.max()) - float(a.min()), 1.0)
    for power in (2.0, 0.5):
        curved = low + top * ((a - low) / top) ** power
        yield (curved.round() if a.dtype.kind in 'iu' else curved).astype(a.dtype)


def pictures(folder, count, side, rng):
    files = sorted(f for e in ('png', 'webp', 'jpg') for f in glob.glob(os.path.join(folder, '*.' + e)))
    for i in range(count):
        im = Image.open(files[i % len(files)]).convert('L')
        scale = max(rng.uniform(0.45, 1.0), side / min(im.size))
        if scale < 1:
            im = im.resize((max(side, round(im.width * scale)), max(side, round(im.height * scale))), Image.LANCZOS)
        a = np.asarray(im)
        y, x = rng.integers(0, a.shape[0] - side + 1), rng.integers(0, a.shape[1] - side + 1)
        yield np.ascontiguousarray(a[y:y + side, x:x + side])


def record(arrays, program, work, name, rng, steps=(1.7, 6.5)):
    """Codes each array once, at a step of its range / 2^(steps). Returns [(decoded, true, least, largest)], each {components,
    places, rows, columns} of i16 in 1/64 of the step; the last two bound decoded samples where a type does."""
    os.makedirs(work, exist_ok=True)
    jobs, infos, path = os.path.join(work, name + '.jobs'), [], os.path.join(work, name + '.slices')
    with open(jobs, 'w') as f:
        for i, a in enumerate(arrays):
            file = os.path.join(work, f'{name}-{i}.npy')
            np.save(file, np.ascontiguousarray(a))
            low, top = float(a.min()), float(a.max())
            step = max(top - low, 1e-6) * 2.0 ** -rng.uniform(*steps)
            f.write(f'{step:.9g} 0 {file}\n')
            bounds = (-EDGE, EDGE)
            if a.dtype.kind in 'iu':
                middle, t = (low + top) / 2, np.iinfo(a.dtype)
                bounds = tuple(int(np.clip(round((v - middle) / step * 64), -EDGE, EDGE)) for v in (t.min, t.max))
            infos.append(bounds)
    subprocess.run([program, jobs, path], check=True, stdout=subprocess.DEVNULL)
    raw, out, i = np.memmap(path, np.int32, 'r'), [], 0
    while i < len(raw):
        job, shape = int(raw[i]), tuple(int(n) for n in raw[i + 1:i + 5])
        n, i = int(np.prod(shape)), i + 5
        decoded, true = (raw[i + k * n:i + (k + 1) * n].reshape(shape).clip(-EDGE, EDGE).astype(np.int16) for k in (0, 1))
        out.append((decoded, true, *infos[job]))
        i += 2 * n
    return out


class Crops:
    """Random crops of slices with those before and after, mirrored and turned; some without the bounds of their type, as
    floats have none."""

    def __init__(self, tiles, side, seed):
        self.tiles = [t for t in tiles if min(t[0].shape[2:]) >= side]
        self.side, self.rng = side, np.random.default_rng(seed)
        sizes = np.array([t[0].size for t in self.tiles], np.float64)
        self.p = sizes / sizes.sum()

    def batch(self, count, bounded=0.6):
        s, rng = self.side, self.rng
        slices, true = np.empty((count, 3, s, s), np.float32), np.empty((count, 1, s, s), np.float32)
        for j, i in enumerate(rng.choice(len(self.tiles), count, p=self.p)):
            decoded, wanted, least, largest = self.tiles[i]
            k, z = rng.integers(decoded.shape[0]), rng.integers(decoded.shape[1])
            y, x = (rng.integers((n - s) // 8 + 1) * 8 for n in decoded.shape[2:])
            at = [max(z - 1, 0), z, min(z + 1, decoded.shape[1] - 1)]
            slices[j] = decoded[k, at[::-1] if rng.random() < 0.5 else at, y:y + s, x:x + s]
            true[j, 0] = wanted[k, z, y:y + s, x:x + s]
            if rng.random() < bounded:
                slices[j] = slices[j].clip(least, largest)
        flip = lambda f: (f(slices), f(true))
        if rng.random() < 0.5:
            slices, true = flip(lambda v: v.swapaxes(2, 3))
        if rng.random() < 0.5:
            slices, true = flip(lambda v: v[..., ::-1])
        if rng.random() < 0.2:
            slices, true = -slices, -true
        return np.ascontiguousarray(slices), np.ascontiguousarray(true)
