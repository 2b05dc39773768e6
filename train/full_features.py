"""What the networks of the `full` entropy model see, from recorded latents: docs/format/entropy.md section 6, for whole crops at once."""
import numpy as np

import swift_layout as L

BAND_RANGE = [(1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7), (8, 9), (10, 14)]
BANDS = [[u * 8 + s - u for s in range(lo, hi + 1) for u in range(min(s, 7), -1, -1) if s - u <= 7] for lo, hi in BAND_RANGE]
ORDER = [0] + [c for b in BANDS for c in b]
FIRST = np.cumsum([1] + [len(b) for b in BANDS])
LUMA_LAYER, CHROMA_LAYER = [2, 2, 3, 3, 4, 4, 5, 5, 6], [2, 3, 4, 4, 5, 5, 6, 6, 7]
COARSE_ORDER = [4, 1, 8, 5, 2, 12, 9, 6, 3, 13, 10, 7, 14, 11, 15]  # after DC
EDGE = np.array([6, 8, 7, 7, 6, 4, 3, 2], np.int16)
LEVEL = np.minimum(np.round(16 * np.log2(1 + np.arange(256))), 127).astype(np.int8)
MANTISSA = [65536, 66971, 68438, 69936, 71468, 73032, 74632, 76266, 77936, 79642, 81386, 83169, 84990, 86851, 88752, 90696,
            92682, 94711, 96785, 98905, 101070, 103283, 105545, 107856, 110218, 112631, 115098, 117618, 120194, 122825, 125515, 128263]
LUMA_NETS, CHROMA_NETS = 9, 4  # bands that have a network


def layer(p, b):
    return LUMA_LAYER[b] if p == 0 else CHROMA_LAYER[b]


def bands_before(q, p, b):
    """How many bands of plane q are coded before band b of plane p."""
    return sum(layer(q, k) < layer(p, b) or (layer(q, k) == layer(p, b) and q < p) for k in range(9))


def level(x):
    """Signed levels."""
    x = np.asarray(x).astype(np.int32)
    return (np.sign(x) * LEVEL[np.minimum(np.abs(x), 255)]).astype(np.int8)


def shift(a, dy, dx):
    """What lies dy below and dx to the right; zeros beyond. a {crop, row, column, ...}"""
    out = np.zeros_like(a)
    h, w = a.shape[1:3]
    to = (slice(None), slice(max(0, -dy), h - max(0, dy)), slice(max(0, -dx), w - max(0, dx)))
    out[to] = a[:, max(0, dy):h + min(0, dy), max(0, dx):w + min(0, dx)]
    return out


def read_symbols(path, limit=None):
    items = []
    with open(path, 'rb') as f:
        while limit is None or len(items) < limit:
            head = np.fromfile(f, np.int32, 4)
            if len(head) < 4:
                break
            ch, cw, step, _ = (int(v) for v in head)
            coarse = np.fromfile(f, np.int16, 3 * ch * cw * 16).reshape(3, ch, cw, 16)
            dc = np.fromfile(f, np.int16, 3 * ch * cw * 16).reshape(3, ch * 4, cw * 4)
            symbols = np.fromfile(f, np.int8, 3 * ch * cw * 1024).reshape(3, ch * 4, cw * 4, 64)
            items.append((step, coarse, dc, symbols[..., ORDER]))
    return items


class Crops:
    """Recorded crops of one size, each a tile of its own."""

    def __init__(self, items, context):
        self.context = context
        self.steps = np.array([i[0] for i in items])
        self.coarse, self.dc, self.symbols = (np.stack([i[k] for i in items]) for k in (1, 2, 3))
        self.n, _, self.h, self.w, _ = self.symbols.shape
        step = np.array([((MANTISSA[i % 32] << (i // 32)) + 1024) >> 11 for i in self.steps])
        self.z = np.where(step >= 128, 4, np.where(step >= 64, 3, 2)).reshape(-1, 1, 1)
        self.factor = np.minimum((1 << (18 + self.z)) // step.reshape(-1, 1, 1), 32767)
        self.counts = [[self._count(p, b) for b in range(9)] for p in range(3)]
        self.mean, self.residual = zip(*(self._coarse_dc(p) for p in range(3)))
        self.activity = [np.minimum(np.minimum(np.abs(self.coarse[:, p, ..., 1:].astype(int)), 127).sum(-1), 255) for p in range(3)]

    def _count(self, p, b):
        """Blocks with the band's flag, by cell."""
        flag = (self.symbols[:, p, ..., FIRST[b]:FIRST[b + 1]] != 0).any(-1)
        return flag.reshape(self.n, self.h // 4, 4, self.w // 4, 4).sum((2, 4)).astype(np.int32)

    def _coarse_dc(self, p):
        q = self.coarse[:, p, ..., 0].astype(np.int64)
        m = self.context['context.coarse_dc.weight'][p].astype(np.int64)
        left, up, ul, ur = shift(q, 0, -1), shift(q, -1, 0), shift(q, -1, -1), shift(q, -1, 1)
        ur[:, :, -1] = up[:, :, -1]
        mean = (m[0] * left + m[1] * up + m[2] * ul + m[3] * ur + 128) >> 8
        mean[:, 0] = left[:, 0]
        mean[:, :, 0] = up[:, :, 0]
        mean[:, 0, 0] = 0
        mean = np.clip(mean, -16000, 16000)
        return mean, q - mean

    def scaled(self, half):
        return (half.astype(np.int16).astype(np.int32) * self.factor + (1 << 14)) >> 15

    def step_features(self, shape, index):
        s = np.repeat(self.steps, shape[1] * shape[2])[index]
        return np.stack([np.clip((s - 176) // 2, -88, 88), np.minimum(np.abs(s - 224) // 2, 88)], -1).astype(np.int8)

    def differences(self, p):
        """Of DC to the eight around, in quarter steps: {crop, row, column, 8}."""
        d = np.pad(self.dc[:, p], ((0, 0), (1, 1), (1, 1)), 'edge') >> 1
        h, w, out = self.h, self.w, []
        last = (np.arange(h) % 4 == 3)[None, :, None]
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                if dy or dx:
                    there = d[:, 1 + dy:1 + dy + h, 1 + dx:1 + dx + w]
                    if dy == 1:
                        there = np.where(last, d[:, 1:1 + h, 1 + dx:1 + dx + w], there)
                    v = self.scaled(there - d[:, 1:-1, 1:-1])
                    out.append(np.sign(v) * (np.abs(v) >> (self.z - 2)))
        return level(np.stack(out, -1))

    def edges(self, p):
        """Edges of all blocks before band 0, 1, .. 8 and after the last: [10] of (left, right, top, bottom) {.., 8}."""
        q = self.scaled(self.dc[:, p] >> 1)
        e = [np.zeros((self.n, self.h, self.w, 8), np.int16) for _ in range(4)]
        for a in e:
            a[..., 0] = (6 * ((q + (1 << (self.z - 1))) >> self.z)).astype(np.int16)
        states = [e]
        for b in range(9):
            e = [a.copy() for a in e]
            for i, c in enumerate(BANDS[b]):
                u, v, x = c >> 3, c & 7, self.symbols[:, p, ..., FIRST[b] + i].astype(np.int16)
                e[0][..., v] += EDGE[u] * x
                e[1][..., v] += (-1) ** u * EDGE[u] * x
                e[2][..., u] += EDGE[v] * x
                e[3][..., u] += (-1) ** v * EDGE[v] * x
            states.append(e)
        return states

    def means(self, p, b, states, pick):
        """t of section 4.4 for the picked blocks {n, size}, and how their edges differ from those around {n, 32}."""
        end = max(k for k in range(9) if layer(p, k) == layer(p, b)) + 1
        before, after, row_end = states[b], states[b + 1], states[end]
        rows = np.arange(self.h) % 4
        west = pick(shift(after[1], 0, -1) - before[0])
        up = np.where((rows == 0)[None, :, None, None], shift(row_end[3], -1, 0), shift(after[3], -1, 0))
        north, east = pick(up - before[2]), pick(shift(before[0], 0, 1) - before[1])
        south = shift(before[2], 1, 0) - before[3]
        south[:, rows == 3] = 0
        south = pick(south)
        u, v = np.array([c >> 3 for c in BANDS[b]]), np.array([c & 7 for c in BANDS[b]])
        w = self.context['context.mean.weight'][[p * 64 + c for c in BANDS[b]]].astype(np.int64)
        t = (west[:, v].astype(np.int64) * w[:, 0] + north[:, u].astype(np.int64) * w[:, 1] +
             east[:, v].astype(np.int64) * w[:, 2] + south[:, u].astype(np.int64) * w[:, 3])
        for q in range(p):
            t += np.clip(pick(self.symbols[:, q, ..., FIRST[b]:FIRST[b + 1]]).astype(np.int64), -15, 15) * w[:, 4 + q]
        return np.clip((t + 512) >> 10, -4095, 4095), np.concatenate([west, north, east, south], -1)

    def bands(self, p, chosen, most=None, rng=None):
        """(band, common, even, odd, flags, values, index) of the blocks of cells that have something in the band."""
        states, near = self.edges(p), self.differences(p)
        luma = self.differences(0) if p else None
        last = np.arange(self.h) % 4 == 3
        for b in chosen:
            cells = self.counts[p][b] > 0
            index = np.flatnonzero(np.repeat(np.repeat(cells, 4, 1), 4, 2).reshape(-1))
            if most is not None and len(index) > most:
                index = np.sort(rng.choice(index, most, replace=False))
            pick = lambda a: a.reshape((self.n * self.h * self.w,) + a.shape[3:])[index]
            f0, f1, s = FIRST[b], FIRST[b + 1], self.symbols[:, p]
            below = shift(s[..., 1:f0], 1, 0)
            below[:, last] = 0
            band = s[..., f0:f1]
            common = [pick(a) for a in (s[..., 1:f0], shift(s[..., 1:f1], 0, -1), shift(s[..., 1:f1], -1, 0), shift(s[..., 1:f0], 0, 1), below)]
            mean, edges = self.means(p, b, states, pick)
            common = np.concatenate([level(a) for a in common] + [pick(near), level(mean)], -1)
            even = [pick(shift(band, -1, -1)), pick(shift(band, -1, 1)), pick(shift(band, 0, -2))]
            even += [pick(self.symbols[:, q][..., 1:FIRST[bands_before(q, p, b)]]) for q in range(3) if q != p]
            even = [level(a) for a in even] + ([pick(luma)] if p else [])
            row = np.where(last, 64, 0)[None, :, None] * np.ones((self.n, 1, self.w), int)
            even = np.concatenate(even + [self.step_features((self.n, self.h, self.w), index), pick(row).astype(np.int8)[:, None]], -1)
            odd = [level(edges)] + [level(pick(self.symbols[:, q][..., f0:f1])) for q in range(p)]
            odd = np.concatenate(odd, -1)
            values = pick(band)
            yield b, common, even, odd, (values != 0).any(-1), values, index

    def cells(self, p, chosen):
        """(band, even, flags, index) of cells."""
        for b in chosen:
            c, a = self.counts[p], self.activity
            left = np.where(shift(c[b], 0, -1) > 0, 8, 0)
            even = [left, shift(c[b], -1, 0), shift(c[b], -1, -1), shift(c[b], -1, 1)]
            for k in range(b):
                even += [c[k], shift(c[k], 0, -1), shift(c[k], 0, 1), shift(c[k], -1, 0)]
            even += [self.counts[q][k] for q in range(3) if q != p for k in range(bands_before(q, p, b))]
            even += [a[p], shift(a[p], 0, -1), shift(a[p], 0, 1), shift(a[p], -1, 0)] + [a[q] for q in range(3) if q != p]
            index = np.arange(c[b].size)
            even = np.concatenate([level(np.stack(even, -1)).reshape(len(index), -1), self.step_features(c[b].shape, index)], -1)
            yield b, even, (c[b] > 0).reshape(-1), index

    def coarse_slopes(self, p):
        """Coarse DC around less that here: left, right, above, and both corners above; 0 beyond the tile."""
        q = self.coarse[:, p, ..., 0].astype(np.int32)
        there = np.ones_like(q)
        at = ((0, -1), (0, 1), (-1, 0), (-1, -1), (-1, 1))
        return np.stack([np.where(shift(there, *o) > 0, shift(q, *o) - q, 0) for o in at], -1)

    def coarse_ac(self, p):
        """(common, even, odd, flags, values): values in coding order."""
        flat = lambda a: a.reshape((-1,) + a.shape[3:])
        q = np.clip(self.coarse[:, p], -32767, 32767).astype(np.int64)
        r = np.clip(q, -127, 127)[..., 1:]
        dc = q[..., 0]
        left = shift(dc, 0, -1); left[:, :, 0] = dc[:, :, 0]
        right = shift(dc, 0, 1); right[:, :, -1] = dc[:, :, -1]
        dy = shift(dc, -1, 0) - dc; dy[:, 0] = 0
        w = self.context['context.coarse_mean.weight'][p * 16 + 1:p * 16 + 16].astype(np.int64)
        limit = lambda a: np.clip(a, -8191, 8191)[..., None]
        ls, us = np.clip(shift(q, 0, -1)[..., 1:], -8191, 8191), np.clip(shift(q, -1, 0)[..., 1:], -8191, 8191)
        t = (limit(left - right) * w[:, 0] + limit(dy) * w[:, 1] + ls * w[:, 2] + us * w[:, 3] + 512) >> 10
        t = np.clip(t, -4095, 4095)
        common = [flat(a) for a in (shift(r, 0, -1), shift(r, -1, 0), self.coarse_slopes(p), t)]
        for k in range(p):
            common += [flat(np.clip(self.coarse[:, k, ..., 1:], -127, 127)), flat(self.coarse_slopes(k))]
        even = np.concatenate([level(flat(shift(r, -1, -1))), level(flat(shift(r, -1, 1))), self.step_features(dc.shape, np.arange(dc.size))], -1)
        values = flat(q)[:, COARSE_ORDER]
        common = level(np.concatenate(common, -1))
        return common, even, np.zeros((len(values), 0), np.int8), (values != 0).any(-1), values

    def coarse_dc(self, p):
        """(common, even, odd, None, values)."""
        q, mean = self.coarse[:, p, ..., 0].astype(np.int64), self.mean[p]
        r = [np.clip(self.residual[k], -127, 127) for k in range(3)]
        there = np.ones_like(q)
        at = ((0, -1), (-1, 0), (-1, -1), (-1, 1))
        common = [np.where(shift(there, *o) > 0, shift(q, *o) - mean, 0) for o in at] + [shift(r[p], *o) for o in at]
        common += [r[k] for k in range(p)]
        common = level(np.stack(common, -1).reshape(q.size, -1))
        even = self.step_features(q.shape, np.arange(q.size))
        return common, even, np.zeros((q.size, 0), np.int8), None, self.residual[p].reshape(-1, 1)
