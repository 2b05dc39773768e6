#!/usr/bin/env python3
"""Draws testdata/demo.png: a godwit on a northern shore at dusk.  Needs numpy and Pillow only.

    python3 testdata/make_demo.py [OUT.png]

Everything is procedural and the seed is fixed, so no photograph or licence is behind the picture.
The scene is drawn at twice the size in linear light, then scaled, toned and given a little grain.
Lengths are metres; x is right, y up, z away from the camera, which stands at the origin.
"""
import os
import sys

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SEED = 20240
OUT_W, OUT_H = 768, 512
SS = 2  # supersampling
W, H = OUT_W * SS, OUT_H * SS
HORIZON = int(H * 0.45)
ABOVE = int(H * 0.20)  # sky drawn above the frame, for the water to reflect
FOCAL = W * 0.9
CAMERA = 0.45
SUN = np.array([0.80, 0.155, 0.58], np.float32)
SUN /= np.linalg.norm(SUN)
F = np.float32


# ---------------------------------------------------------------------------------------- noise
class Noise:
    """Perlin's gradient noise in the plane, about -0.7 to 0.7."""

    def __init__(self, seed):
        rng = np.random.RandomState(seed)
        self.perm = rng.permutation(256).astype(np.int32)
        self.perm = np.concatenate([self.perm, self.perm])
        a = rng.uniform(0, 2 * np.pi, 256)
        self.gx, self.gy = np.cos(a).astype(F), np.sin(a).astype(F)

    def __call__(self, x, y):
        xf, yf = np.floor(x), np.floor(y)
        xi, yi = xf.astype(np.int64) & 255, yf.astype(np.int64) & 255
        u, v = (x - xf).astype(F), (y - yf).astype(F)
        p, x1, y1 = self.perm, (xi + 1) & 255, (yi + 1) & 255

        def corner(cx, cy, du, dv):
            g = p[p[cx] + cy]
            return self.gx[g] * du + self.gy[g] * dv

        su, sv = u * u * u * (u * (u * 6 - 15) + 10), v * v * v * (v * (v * 6 - 15) + 10)
        a = corner(xi, yi, u, v)
        b = corner(x1, yi, u - 1, v)
        c = corner(xi, y1, u, v - 1)
        d = corner(x1, y1, u - 1, v - 1)
        top = a + su * (b - a)
        return top + sv * (c + su * (d - c) - top)


NOISE = Noise(SEED)


def fbm(x, y, octaves, gain=0.5, ridged=False):
    """Fractal sum of octaves; each is turned and moved so that no grid shows."""
    total, amp = np.zeros(np.broadcast(x, y).shape, F), 1.0
    for i in range(octaves):
        n = NOISE(x + 17.3 * i, y - 9.1 * i)
        total += amp * ((1 - 2 * np.abs(n)) ** 2 - 0.5 if ridged else n)
        x, y = 1.62 * x - 1.18 * y, 1.18 * x + 1.62 * y
        amp *= gain
    return total


def smooth(lo, hi, x):
    t = np.clip((x - lo) / (hi - lo), 0, 1)
    return t * t * (3 - 2 * t)


def mix(a, b, t):
    return a + (b - a) * t


def rgb(r, g, b):
    return np.array([r, g, b], F)


# ------------------------------------------------------------------------------------------ sky
def sky(dx, dy, dz):
    """Linear colour of unit directions with dy >= 0."""
    up = np.clip(dy, 0, 1)[..., None]
    toward = np.clip(dx * SUN[0] + dy * SUN[1] + dz * SUN[2], -1, 1)[..., None]
    zenith, middle, low = rgb(0.060, 0.125, 0.29), rgb(0.22, 0.29, 0.42), rgb(0.78, 0.42, 0.26)
    c = mix(low, middle, smooth(0.0, 0.17, up))
    c = mix(c, zenith, smooth(0.10, 0.50, up))
    c = c * (0.72 + 0.28 * smooth(-0.2, 0.9, toward))
    glow = np.exp(-14 * (1 - toward)) * np.exp(-4.0 * up)
    c = c + rgb(1.35, 0.62, 0.20) * glow
    c = c + rgb(0.95, 0.36, 0.20) * (np.exp(-5 * (1 - toward)) * np.exp(-13 * up) * 0.5)

    # Two decks of cloud: broken cumulus below, combed cirrus above.
    k = 1 / (up[..., 0] + 0.055)
    x, z = dx * k, dz * k
    warp = fbm(x * 0.35 + 4, z * 0.35, 3)
    cx, cz = x * 0.62 + 1.1 * warp, z * 0.80 + 0.9 * warp

    def deck(u, v):
        return fbm(u, v, 7, 0.54)

    here = deck(cx, cz)
    sunward = deck(cx + 0.16 * SUN[0], cz + 0.16 * SUN[2])
    cover = smooth(-0.02, 0.50, here + 0.10 * np.cos(x * 0.4 + 1.2) - 0.02)[..., None]
    thick = smooth(0.05, 0.75, here)[..., None]
    light = smooth(-0.22, 0.26, here - sunward)[..., None]
    near_sun = smooth(0.1, 1.0, toward)
    lit = mix(rgb(0.92, 0.60, 0.50), rgb(1.55, 0.86, 0.42), near_sun)
    lit = mix(lit, rgb(0.80, 0.66, 0.66), smooth(0.12, 0.45, up))
    shade = mix(rgb(0.27, 0.26, 0.36), rgb(0.40, 0.27, 0.30), near_sun)
    cloud = mix(shade, lit, np.clip(0.25 + 0.75 * light - 0.25 * thick, 0, 1))
    fade = smooth(0.012, 0.10, up)  # haze swallows the decks at the horizon
    c = mix(c, cloud, cover * fade * 0.90)

    wisps = fbm(x * 0.55 + 0.9 * z + 2 * warp, (z - 0.6 * x) * 0.12 + warp, 6, 0.6)
    wisps = smooth(0.02, 0.75, wisps)[..., None] * smooth(0.10, 0.35, up) * (1 - cover)
    return mix(c, mix(rgb(0.78, 0.58, 0.56), rgb(1.3, 0.85, 0.55), near_sun), 0.55 * wisps)


# ----------------------------------------------------------------------------------------- land
def stones(x, z, cell, seed, share):
    """Height of pebbles scattered one to a cell, and a number in 0..1 for each pebble."""
    xi, zi = np.floor(x / cell), np.floor(z / cell)
    best = np.zeros(x.shape, F)
    ident = np.zeros(x.shape, F)
    for ox in (-1, 0, 1):
        for oz in (-1, 0, 1):
            gx, gz = (xi + ox).astype(np.int64), (zi + oz).astype(np.int64)
            h = (gx * 374761393 + gz * 668265263 + seed * 1274126177) & 0xFFFFFFFF
            h = ((h ^ (h >> 13)) * 1274126177) & 0xFFFFFFFF
            h ^= h >> 16
            r1, r2 = (h & 255) / 255.0, ((h >> 8) & 255) / 255.0
            r3, r4 = ((h >> 16) & 255) / 255.0, ((h >> 24) & 255) / 255.0
            radius = cell * (0.20 + 0.32 * r3 * r3) * (r4 < share)
            px, pz = (gx + 0.25 + 0.5 * r1) * cell, (gz + 0.25 + 0.5 * r2) * cell
            ax, az = x - px, z - pz
            ca, sa = np.cos(6.28 * r3), np.sin(6.28 * r3)
            u, v = (ca * ax + sa * az), 1.45 * (ca * az - sa * ax)
            d = (u * u + v * v) / np.maximum(radius * radius, 1e-9)
            top = np.where(d < 1, radius * (0.42 + 0.25 * r4) * np.sqrt(np.maximum(1 - d, 0)), 0)
            ident = np.where(top > best, (r1 * 7.13 + r2 * 3.7) % 1.0, ident)
            best = np.maximum(best, top)
    return best.astype(F), ident.astype(F)


def shore(x, z):
    """Signed height of the beach, which fills the left of the foreground."""
    line = 0.16 - 0.23 * z + 0.42 * fbm(x * 0.7 + 3, z * 0.55 + 1, 4) + 0.10 * np.sin(z * 1.3)
    s = line - x
    return np.where(s > 0, 0.115 * s, 0.09 * s) - 0.02 * smooth(3, 9, z) * z


def height(x, z, detail=1.0):
    """Ground height; the water stands at 0."""
    x, z = x.astype(F), z.astype(F)
    h = np.full(x.shape, -1.0, F)
    near = z < 26
    if near.any():
        nx, nz = x[near], z[near]
        b = shore(nx, nz) + 0.012 * fbm(nx * 3.1, nz * 3.1, 3)
        b += 0.0035 * fbm(nx * 22, nz * 22, 4, 0.6) * detail
        inner = nz < 9
        if inner.any():
            sx, sz = nx[inner], nz[inner]
            patch = smooth(-0.30, 0.35, fbm(sx * 1.1 + 8, sz * 1.1, 3))
            p = np.maximum(stones(sx, sz, 0.040, 1, 0.55)[0], stones(sx, sz, 0.095, 2, 0.36)[0])
            p = np.maximum(p, stones(sx, sz, 0.30, 3, 0.20)[0] * 0.9)
            b[inner] += p * (0.35 + 0.65 * patch)
        h[near] = b
    far = z > 120
    if far.any():
        fx, fz = x[far], z[far]
        wander = 500 * fbm(fx / 1500, fz / 1500, 3)
        # A low skerry, then headlands that step back towards the sun.
        skerry = 9 * smooth(130, 0, np.hypot((fx - 92), (fz - 520) * 0.55)) - 3.4
        skerry += 5.0 * fbm(fx / 26, fz / 40, 6, 0.55) * (skerry > -3.3)
        coast = fz - 900 - 1.55 * (fx + 620) + wander
        first = smooth(0, 2000, coast) * smooth(500, -700, fx - 0.02 * fz)
        back = smooth(0, 2600, fz - 4300 - 0.8 * fx + wander) * smooth(3800, 600, fx)
        last = smooth(0, 2500, fz - 9300 + wander) * smooth(7600, 2000, fx)
        ridge = fbm(fx / 1300 + 2.2, fz / 1300, 11, 0.47, ridged=True)
        hills = fbm(fx / 2600 + 7, fz / 2600 + 3, 4)
        m = first * (210 + 260 * ridge + 240 * hills)
        m = np.maximum(m, back * (380 + 360 * ridge + 420 * hills) - 10)
        m = np.maximum(m, last * (560 + 420 * ridge + 560 * hills) - 20)
        m = m - 5 * np.exp(-np.maximum(m, 0) / 12)
        h[far] = np.maximum(m, skerry) - 1.0
    return h


def march():
    """Depth of the first thing seen at each pixel below ABOVE + HORIZON's sky (inf = sky)."""
    depth = np.full((H + ABOVE, W), np.inf, F)
    seen = np.full(W, H + ABOVE, np.int32)  # rows at and below this one are filled
    slope = ((np.arange(W) + 0.5 - W / 2) / FOCAL).astype(F)
    rows = np.arange(H + ABOVE, dtype=np.int32)[:, None]
    steps = np.geomspace(0.9, 16000, 4200).astype(F)
    for block in np.array_split(steps, 60):
        z = np.repeat(block[:, None], W, 1)
        h = np.maximum(height(slope[None, :] * z, z), 0)
        y = np.ceil(ABOVE + HORIZON - FOCAL * (h - CAMERA) / z - 0.5).astype(np.int32)
        top = np.minimum.accumulate(np.vstack([seen[None, :], y]), 0)
        for i in range(len(block)):
            new = top[i + 1] < top[i]
            if new.any():
                a, b = max(int(top[i + 1][new].min()), 0), int(top[i][new].max())
                part = depth[a:b]
                m = (rows[a:b] >= top[i + 1]) & (rows[a:b] < top[i])
                part[m] = block[i]
        seen = top[-1]
    return depth


def shade_land(x, z, h):
    """Linear colour of ground points."""
    eps = np.maximum(z * 0.0011, 0.0012)
    hx = (height(x + eps, z) - h) / eps
    hz = (height(x, z + eps) - h) / eps
    n = np.stack([-hx, np.ones_like(hx), -hz], -1)
    n /= np.linalg.norm(n, axis=-1, keepdims=True)
    sun = np.clip(n @ SUN, 0, 1)
    # Cast shadows, stepping towards the sun.
    clear = np.ones(x.shape, F)
    reach = np.where(z < 30, 0.004, 12.0).astype(F)
    for i in range(22):
        t = reach * 1.34**i
        above = h + t * SUN[1] / np.hypot(SUN[0], SUN[2])
        block = height(x + t * SUN[0], np.maximum(z + t * SUN[2], 0.3), 0.0) - above
        clear = np.minimum(clear, 1 - smooth(-0.02, 0.25, block / (t * 0.2 + 1e-4)))
    dome = 0.55 + 0.45 * n[..., 1]

    near = z < 30
    colour = np.zeros(x.shape + (3,), F)
    # Beach: damp sand, darker at the waterline, and pebbles of their own colours.
    fx, fz = x[near], z[near]
    if near.any():
        fine = fbm(fx * 60, fz * 60, 4, 0.7)
        broad = fbm(fx * 2.2, fz * 2.2, 4)
        sand = rgb(0.250, 0.190, 0.140) * (1 + 0.35 * fine + 0.35 * broad)[..., None]
        best = np.zeros(fx.shape, F)
        for cell, seed, share in ((0.040, 1, 0.55), (0.095, 2, 0.36), (0.30, 3, 0.20)):
            top, ident = stones(fx, fz, cell, seed, share)
            warm, pale = (ident * 5.3) % 1, (ident * 9.7) % 1
            tint = mix(rgb(0.105, 0.110, 0.120), rgb(0.200, 0.150, 0.110), warm[..., None])
            tint = tint * (0.55 + 1.25 * pale * pale)[..., None]
            speck = fbm(fx * 170 + 40 * ident, fz * 170, 3, 0.7)
            band = smooth(0.05, 0.0, np.abs(fbm(fx * 5 + 40 * ident, fz * 5, 4)))
            tint = tint * (1 + 0.35 * fine + 0.30 * speck)[..., None]
            tint = tint + 0.10 * (band * (ident > 0.82))[..., None]
            take = (top > 0.001) & (top >= best)
            sand = np.where(take[..., None], tint, sand)
            best = np.maximum(best, top)
        wet = smooth(0.055, 0.004, h[near])[..., None]
        colour[near] = sand * mix(1.0, 0.42, wet)
    # Far land: rock where steep, heath where flat, a pale tide line at the foot.
    fx, fz, fh = x[~near], z[~near], h[~near]
    if fx.size:
        steep = 1 - n[..., 1][~near]
        rough = fbm(fx / 45, fz / 45, 6, 0.6)
        rock = rgb(0.25, 0.205, 0.18) * (1 + 0.5 * rough)[..., None]
        heath = mix(rgb(0.115, 0.125, 0.045), rgb(0.20, 0.125, 0.06),
                    smooth(-0.4, 0.5, fbm(fx / 210, fz / 210, 4))[..., None])
        heath = heath * (1 + 0.6 * rough)[..., None]
        c = mix(heath, rock, smooth(0.10, 0.34, steep + 0.13 * rough)[..., None])
        snow = smooth(560, 800, fh + 190 * rough)[..., None] * smooth(0.6, 0.25, steep)[..., None]
        c = mix(c, rgb(0.80, 0.80, 0.86), 0.85 * snow)
        colour[~near] = mix(c, rgb(0.07, 0.06, 0.055), smooth(5, 0, fh)[..., None] * 0.8)
    light = rgb(3.7, 1.85, 0.80) * (sun * clear)[..., None]
    light = light + rgb(0.42, 0.50, 0.70) * dome[..., None]
    lit = colour * light
    if near.any():  # the film of water on damp sand and stones mirrors the bright low sky
        shine = smooth(0.05, 0.0, h[near]) * np.clip(1 - n[near][..., 1] * 0.55, 0, 1) ** 2
        back = np.clip(n[near] @ ((SUN + rgb(0, 0.2, -1)) / 1.35), 0, 1) ** 40
        lit[near] += rgb(0.55, 0.46, 0.45) * (0.30 * shine)[..., None]
        lit[near] += rgb(3.0, 1.7, 0.8) * (0.25 * back * clear[near])[..., None]
    return lit


def haze(colour, z, dx, dz):
    toward = np.clip(dx * SUN[0] + dz * SUN[2], 0, 1)[..., None]
    air = mix(rgb(0.27, 0.27, 0.37), rgb(0.92, 0.48, 0.25), smooth(0.45, 0.98, toward))
    return mix(colour, air, 1 - np.exp(-np.maximum(z - 60, 0) / 7800.0)[..., None])


# ---------------------------------------------------------------------------------------- water
def sample(buffer, col, row):
    """Bilinear look-up with clamped borders."""
    hgt, wid = buffer.shape[:2]
    col, row = np.clip(col, 0, wid - 1.01), np.clip(row, 0, hgt - 1.01)
    c, r = col.astype(np.int32), row.astype(np.int32)
    u, v = (col - c)[..., None].astype(F), (row - r)[..., None].astype(F)
    return ((buffer[r, c] * (1 - u) + buffer[r, c + 1] * u) * (1 - v) +
            (buffer[r + 1, c] * (1 - u) + buffer[r + 1, c + 1] * u) * v)


def ripples(x, z):
    """Slopes of the water surface, faded where they are finer than a pixel."""
    pixel = z * z / (CAMERA * FOCAL)  # footprint along the view
    sx, sz = np.zeros(x.shape, F), np.zeros(x.shape, F)
    calm = 0.35 + 0.65 * smooth(-0.25, 0.35, fbm(x / (3 + 0.12 * z), z / (9 + 0.6 * z), 3))
    for size, amp, turn in ((0.035, 0.05, 0.5), (0.09, 0.07, -0.3), (0.22, 0.07, 0.2),
                            (0.6, 0.055, -0.15), (1.9, 0.040, 0.1), (7.0, 0.030, 0.0),
                            (26.0, 0.022, 0.12), (90.0, 0.016, -0.1)):
        keep = amp * calm * np.clip(2.2 * size / pixel, 0, 1)
        c, s = np.cos(turn), np.sin(turn)
        u, v = (c * x + s * z) / (2.4 * size), (c * z - s * x) / size
        sx += keep * NOISE(u + 31.7, v + size) * 0.6
        sz += keep * fbm(u - 11.3, v + 5.1, 2)
    return sx, sz


def shade_water(scene, x, z, dx):
    sx, sz = ripples(x, z)
    d = np.stack([dx, -CAMERA / z, np.ones_like(z)], -1)
    d /= np.linalg.norm(d, axis=-1, keepdims=True)
    n = np.stack([-sx, np.ones_like(sx), -sz], -1)
    n /= np.linalg.norm(n, axis=-1, keepdims=True)
    cos = -(d * n).sum(-1)
    r = d + 2 * np.maximum(cos, 0.01)[..., None] * n
    r[..., 1] = np.abs(r[..., 1]) + 0.002
    ahead = np.maximum(r[..., 2], 0.2)
    col = W / 2 + FOCAL * r[..., 0] / ahead
    row = ABOVE + HORIZON - FOCAL * r[..., 1] / ahead
    mirror = sample(scene, col, np.minimum(row, ABOVE + HORIZON - 1))
    fresnel = 0.03 + 0.97 * (1 - np.clip(cos, 0, 1)) ** 4.2
    fresnel = np.clip(fresnel * 1.25, 0, 1)[..., None]
    bed = np.clip(-height(x, np.minimum(z, 25.9)), 0, 3)[..., None]
    grain = (1 + 0.5 * fbm(x * 9, z * 9, 4))[..., None]
    body = mix(rgb(0.15, 0.125, 0.09) * grain, rgb(0.035, 0.065, 0.075), 1 - np.exp(-bed * 14))
    glint = np.clip((r / np.linalg.norm(r, axis=-1, keepdims=True)) @ SUN, 0, 1) ** 90
    out = mix(body, mirror * rgb(0.93, 0.96, 1.0), fresnel)
    out += rgb(3.2, 1.8, 0.8) * (0.6 * glint)[..., None]
    # Lapping edge: a thin bright line where the film of water ends.
    edge = np.exp(-((bed[..., 0] - 0.0035) / 0.0022) ** 2) * (z < 12)
    return mix(out, rgb(0.80, 0.66, 0.58), 0.30 * edge[..., None]), sx, sz


# ----------------------------------------------------------------------------------------- bird
def spline(points, closed=True, per=14):
    """Catmull-Rom through the points."""
    p = np.array(points, float)
    n, out = len(p), []
    for i in range(n if closed else n - 1):
        take = (lambda k: p[k % n]) if closed else (lambda k: p[min(max(k, 0), n - 1)])
        a, b, c, d = take(i - 1), take(i), take(i + 1), take(i + 2)
        for t in np.linspace(0, 1, per, endpoint=False):
            out.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t +
                              (3 * b - a - 3 * c + d) * t**3))
    if not closed:
        out.append(p[-1])
    return np.array(out)


# Centimetres, facing left, the feet about (0, 0).
BODY = [(-14.5, 33.7), (-13.2, 35.0), (-11.2, 35.3), (-9.2, 34.5), (-7.9, 32.5), (-6.9, 30.0),
        (-5.2, 27.9), (-2.2, 26.9), (2.0, 26.2), (7.0, 24.5), (11.5, 22.1), (16.2, 19.3),
        (18.2, 17.8), (15.6, 17.4), (11.4, 16.9), (7.6, 15.0), (3.6, 13.5), (-0.8, 13.2),
        (-5.2, 14.3), (-8.9, 17.2), (-10.9, 21.0), (-11.5, 25.2), (-11.8, 28.8), (-12.7, 31.1),
        (-13.9, 32.2), (-14.8, 32.9)]
BILL = [(-14.2, 33.9), (-17.5, 33.35), (-21.5, 33.35), (-25.4, 34.15), (-25.5, 33.85),
        (-21.5, 32.85), (-17.5, 32.55), (-14.2, 32.4)]
WING = [(-5.2, 24.4), (-1.5, 25.4), (3.0, 24.7), (8.0, 22.8), (13.0, 20.6), (18.2, 18.1),
        (12.5, 18.2), (7.5, 18.0), (2.0, 18.1), (-2.8, 19.6), (-5.4, 22.0)]
LEGS = [[(-0.6, 15.0), (0.5, 11.8), (0.9, 8.4), (-0.5, 4.0), (-1.6, -0.5)],
        [(3.0, 15.2), (3.9, 12.0), (4.4, 8.7), (3.6, 4.0), (2.9, -0.9)]]


def draw_bird(foot_col, foot_row, scale):
    """Colour (linear) and cover of the bird at the size of the frame; `scale` is pixels per cm."""
    fine = 3

    def place(points):
        p = np.array(points, float)
        return [(float((foot_col + a * scale) * fine), float((foot_row - b * scale) * fine))
                for a, b in p]

    x0, y0 = int(foot_col - 29 * scale), int(foot_row - 38 * scale)
    x1, y1 = int(foot_col + 22 * scale), int(foot_row + 3 * scale)

    def mask(draw):
        im = Image.new("L", ((x1 - x0) * fine, (y1 - y0) * fine))
        draw(ImageDraw.Draw(im))
        return im.resize((x1 - x0, y1 - y0), Image.BOX)

    def shape(points):
        moved = [(a - x0 * fine, b - y0 * fine) for a, b in place(points)]
        return mask(lambda d: d.polygon(moved, fill=255))

    def stroke(points, widths):
        p = spline(points, closed=False)
        w = np.interp(np.linspace(0, 1, len(p)), np.linspace(0, 1, len(widths)), widths)
        t = np.gradient(p, axis=0)
        t /= np.linalg.norm(t, axis=1, keepdims=True)
        side = np.stack([-t[:, 1], t[:, 0]], 1) * w[:, None]
        return shape(np.vstack([p + side, (p - side)[::-1]]))

    def array(im):
        return np.asarray(im, F) / 255

    body_im, wing_im = shape(spline(BODY)), shape(spline(WING))
    body, wing, bill = array(body_im), array(wing_im), array(shape(spline(BILL)))
    legs = np.zeros_like(body)
    for leg in LEGS:
        legs = np.maximum(legs, array(stroke(leg, [1.1, 0.62, 0.5, 0.36, 0.34, 0.34])))
        knee = leg[2]
        ring = [(knee[0] + 0.55 * np.cos(a), knee[1] + 0.75 * np.sin(a))
                for a in np.linspace(0, 6.28, 20)]
        legs = np.maximum(legs, array(shape(ring)))
    cover = np.maximum.reduce([body, bill, legs])

    # The blurred outline, raised, stands in for the shape of the body.
    def bulge(im, cm):
        return array(im.filter(ImageFilter.GaussianBlur(cm * scale)))

    high = np.sqrt(np.clip(bulge(body_im, 2.6) - 0.30, 0, 1)) * 6.5 + bulge(body_im, 0.8) * 1.2
    high += bulge(wing_im, 0.8) * 0.7
    gy, gx = np.gradient(high * scale)
    n = np.stack([-gx, gy, np.full_like(gx, 0.9)], -1)  # here z points at the camera
    n /= np.linalg.norm(n, axis=-1, keepdims=True)
    row, col = np.mgrid[y0:y1, x0:x1].astype(F)
    u, v = (col - foot_col) / scale, (foot_row - row) / scale  # centimetres

    barbs = fbm(u * 0.9 + v * 0.5, v * 1.9 - u * 0.4, 5, 0.62)
    under = rgb(0.33, 0.130, 0.062) * (1 + 0.70 * barbs)[..., None]
    belly = smooth(17.5, 14.2, v) * smooth(-4, 8, u)
    under = mix(under, rgb(0.50, 0.40, 0.32), 0.6 * belly[..., None])
    crown = smooth(33.7, 34.7, v)[..., None]
    under = mix(under, rgb(0.17, 0.11, 0.075) * (1 + 0.6 * barbs)[..., None], crown)
    streak = smooth(0.10, 0.3, fbm(u * 2.6, v * 0.9, 3)) * smooth(-9.5, -6.5, u + (v - 27) * 0.35)
    under = mix(under, rgb(0.10, 0.07, 0.05), (0.7 * streak * smooth(18, 23, v))[..., None])
    # Feathers of the wing: dark centres and pale rims in rows that lean back.
    a, b = (u * 0.94 - v * 0.34), (v * 0.94 + u * 0.34)
    a, b = a + 0.5 * fbm(u * 0.5, v * 0.5, 3), b + 0.5 * fbm(u * 0.5 + 9, v * 0.5, 3)
    rim, notch = np.zeros_like(u), np.zeros_like(u)
    for lean in range(2):  # each row of feathers overlaps the next one back
        line = b * 0.95 + 0.5 * lean
        lane = np.floor(line)
        t = (a * 0.30 + 0.5 * lean + 0.37 * lane) % 1.0
        reach = np.hypot((t - 0.15) * 1.15, (line - lane - 0.5) * 1.25)
        rim = np.maximum(rim, smooth(0.42, 0.56, reach) * smooth(0.72, 0.60, reach))
        notch = np.maximum(notch, smooth(0.12, 0.0, np.abs(line - lane - 0.5)) * (t > 0.2))
    back = mix(rgb(0.125, 0.088, 0.064), rgb(0.33, 0.235, 0.160), (0.85 * rim)[..., None])
    back = mix(back, rgb(0.055, 0.040, 0.033), (0.75 * notch * (1 - rim))[..., None])
    back = back * (1 + 0.55 * barbs)[..., None]
    primaries = smooth(6.5, 10, u) * smooth(22.6, 20.4, v + 0.42 * (u - 9))
    back = mix(back, rgb(0.045, 0.038, 0.036) * (1 + barbs)[..., None], primaries[..., None] * 0.85)
    mantle = np.maximum(wing, body * smooth(24.2, 25.4, v + 0.28 * u) * smooth(-6.5, -4, u))
    albedo = mix(under, back, mantle[..., None])
    tail = smooth(12.5, 14, u) * smooth(18.6, 18.0, v)
    bars = 0.5 + 0.5 * np.sign(np.sin(u * 4.6))
    albedo = mix(albedo, (rgb(0.34, 0.29, 0.24) * bars[..., None] + 0.06), tail[..., None])

    sun = np.clip(n[..., 0] * 0.80 + n[..., 1] * 0.22 + n[..., 2] * 0.12 + 0.10, 0, 1)
    rim_light = np.clip(n[..., 0], 0, 1) ** 3 * np.clip(1 - n[..., 2], 0, 1)
    dome = 0.42 + 0.34 * n[..., 1] + 0.24 * n[..., 2]
    light = (rgb(3.6, 2.0, 1.0) * sun[..., None] + rgb(0.42, 0.50, 0.68) * 0.85 * dome[..., None] +
             rgb(0.30, 0.22, 0.16) * (0.5 * np.clip(-n[..., 1], 0, 1))[..., None])
    colour = albedo * light + rgb(1.5, 0.9, 0.5) * (0.30 * rim_light)[..., None]

    pink = smooth(-21.5, -14.5, u)[..., None]
    beak = mix(rgb(0.035, 0.028, 0.028), rgb(0.36, 0.17, 0.13), pink)
    beak = beak * (0.55 + 0.9 * smooth(32.5, 33.9, v - 0.02 * (u + 14)))[..., None]
    colour = mix(colour, beak, (bill * (1 - body))[..., None])
    stalk = rgb(0.055, 0.05, 0.05) * (1 + 0.5 * barbs)[..., None]
    across = np.gradient(array(Image.fromarray((legs * 255).astype(np.uint8)).filter(
        ImageFilter.GaussianBlur(0.35 * scale))), axis=1) * scale
    stalk = stalk + rgb(0.55, 0.32, 0.16) * np.clip(-across * 0.45, 0, 1)[..., None]
    colour = mix(colour, stalk, (legs * (1 - body))[..., None])
    # Lore, brow and eye.
    lore = smooth(0.7, 0.2, np.abs(v - 33.5 - 0.10 * (u + 14))) * smooth(-12.2, -13.2, u) * body
    colour = mix(colour, rgb(0.06, 0.04, 0.03), (0.75 * lore)[..., None])
    brow = smooth(0.42, 0.1, np.abs(v - 34.35 + 0.05 * (u + 12))) * smooth(-14.4, -13.6, u)
    brow = brow * smooth(-9.8, -11, u) * body
    colour = mix(colour, rgb(0.75, 0.52, 0.36), (0.55 * brow)[..., None])
    eye = smooth(0.56, 0.46, np.hypot(u + 12.35, v - 33.65))
    colour = mix(colour, rgb(0.012, 0.010, 0.010), eye[..., None])
    spark = smooth(0.20, 0.08, np.hypot(u + 12.18, v - 33.85))
    colour = mix(colour, rgb(1.6, 1.2, 0.9), spark[..., None])

    out, alpha = np.zeros((H, W, 3), F), np.zeros((H, W), F)
    out[y0:y1, x0:x1], alpha[y0:y1, x0:x1] = colour, cover
    return out, alpha


def draw_flock(image, rng):
    """A skein of the bird's kin, far out over the bay."""
    layer = Image.new("L", (W * 2, H * 2))
    d = ImageDraw.Draw(layer)
    for i in range(17):
        side, k = (-1 if i % 2 else 1), (i + 1) // 2
        x = W * 2 * 0.355 + side * k * (33 if side > 0 else 24) + rng.uniform(-7, 7)
        y = H * 2 * 0.150 + k * (13 if side > 0 else 19) + rng.uniform(-5, 5)
        s, flap = rng.uniform(10, 13.5), rng.uniform(-0.55, 0.75)
        for wing in (-1, 1):
            tip = (x + wing * s * 1.15, y - s * flap)
            mid = (x + wing * s * 0.55, y - s * (0.30 + 0.45 * flap))
            d.polygon([(x, y - 2.2), mid, tip, (mid[0], mid[1] + 3.6), (x, y + 2.4)], fill=255)
        d.polygon([(x - s * 0.62, y - 0.4), (x, y - 2.6), (x + s * 0.5, y), (x, y + 2.6)], fill=255)
    a = np.asarray(layer.resize((W, H), Image.BOX), F)[..., None] / 255
    return mix(image, rgb(0.10, 0.085, 0.095), 0.86 * a)


def draw_grass(image, rng):
    """Marram in the near left corner, drawn blade by blade, far to near."""
    layer = Image.new("RGB", (W, H))
    cover = Image.new("L", (W, H))
    dl, dc = ImageDraw.Draw(layer), ImageDraw.Draw(cover)
    blades = []
    for _ in range(1050):
        tuft = rng.randint(0, 9)
        centre = (-40, 40, 110, 165, 250, 20, 330, 75, 205)[tuft]
        base = (1060, 1050, 1075, 1040, 1078, 1010, 1090, 1000, 1035)[tuft]
        x = centre + rng.normal(0, 26)
        blades.append((base + rng.normal(0, 6), x, rng.gamma(6, 34) * (1.15 - tuft % 5 * 0.09),
                       rng.normal(0.28, 0.30) + (x - centre) * 0.006))
    blades.sort(key=lambda b: b[0])
    for y, x, length, lean in blades:
        length = min(length, 420.0)
        width = rng.uniform(0.9, 2.7)
        droop = rng.uniform(0.0, 0.55) * np.sign(lean + 0.05)
        t = np.linspace(0, 1, 15)
        bx = x + length * (lean * t + droop * t**3 * 0.8)
        by = y - length * (t - 0.22 * abs(lean) * t**2 - 0.30 * abs(droop) * t**3)
        half = width * (1 - t) ** 0.6 * 0.9 + 0.25
        dry = rng.uniform(0, 1) ** 1.3
        root = mix(rgb(0.030, 0.036, 0.014), rgb(0.060, 0.042, 0.020), dry)
        tip = mix(rgb(0.20, 0.185, 0.060), rgb(0.66, 0.40, 0.18), dry) * rng.uniform(0.35, 1.25)
        for i in range(14):
            c = mix(root, tip, t[i] ** 1.3)
            code = tuple(int(v) for v in np.clip(255 * (np.clip(c, 0, 1)) ** 0.5, 0, 255))
            quad = [(bx[i] - half[i], by[i]), (bx[i] + half[i], by[i]),
                    (bx[i + 1] + half[i + 1], by[i + 1]), (bx[i + 1] - half[i + 1], by[i + 1])]
            dl.polygon(quad, fill=code)
            dc.polygon(quad, fill=255)
    a = np.asarray(cover, F)[..., None] / 255
    return mix(image, (np.asarray(layer, F) / 255) ** 2, a)


# ---------------------------------------------------------------------------------------- frame
def develop(image, rng):
    """Linear light to 8 bits: scale, lens, film curve, grain."""
    small = np.stack([np.asarray(Image.fromarray(image[..., c], mode="F").resize(
        (OUT_W, OUT_H), Image.LANCZOS)) for c in range(3)], -1)
    small = np.maximum(small, 0)
    y, x = np.mgrid[-1:1:OUT_H * 1j, -1:1:OUT_W * 1j]
    small = small * (1 - 0.16 * (x * x + 0.8 * y * y) ** 1.3)[..., None] * 0.86
    tone = small * (2.51 * small + 0.03) / (small * (2.43 * small + 0.59) + 0.14)  # ACES, Narkowicz
    code = 255 * np.clip(tone, 0, 1) ** (1 / 2.2)
    light = code.mean(-1, keepdims=True)
    grain = rng.normal(0, 1, (OUT_H, OUT_W, 1)) + 0.35 * rng.normal(0, 1, (OUT_H, OUT_W, 3))
    code = code + grain * (1.0 - 0.45 * light / 255)
    return np.clip(np.rint(code), 0, 255).astype(np.uint8)


def main():
    out = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "demo.png")
    rng = np.random.RandomState(SEED)
    rows, cols = np.mgrid[0:H + ABOVE, 0:W]
    dx = ((cols + 0.5 - W / 2) / FOCAL).astype(F)
    dy = ((ABOVE + HORIZON - rows - 0.5) / FOCAL).astype(F)
    length = np.sqrt(dx * dx + dy * dy + 1)
    scene = sky(dx / length, np.maximum(dy, 0) / length, 1 / length)

    depth = march()
    hit = np.isfinite(depth)
    z = np.where(hit, depth, 1).astype(F)
    x = dx * z
    ground = height(x, z)
    land = hit & (ground > 0)
    colour = shade_land(x[land], z[land], ground[land])
    inverse = 1 / np.sqrt(dx[land] ** 2 + 1)
    scene[land] = haze(colour, z[land], dx[land] * inverse, inverse)

    water = hit & (ground <= 0) & (dy < -1e-6)
    flat = np.where(water, CAMERA / np.maximum(-dy, 1e-6), 1).astype(F)
    reflected, sx, sz = shade_water(scene, (dx * flat)[water], flat[water], dx[water])
    scene[water] = haze(reflected, flat[water] * 0.8, dx[water], np.ones_like(dx[water]))
    shift_x, shift_z = np.zeros(hit.shape, F), np.zeros(hit.shape, F)
    shift_x[water], shift_z[water] = sx, sz
    shift_x, shift_z, wet = shift_x[ABOVE:], shift_z[ABOVE:], water[ABOVE:]
    image = scene[ABOVE:]

    image = draw_flock(image, rng)
    foot_z = 1.72
    foot_col, foot_row = W * 0.665, HORIZON + FOCAL * CAMERA / foot_z
    bird, alpha = draw_bird(foot_col, foot_row, FOCAL / foot_z / 100)
    r, c = np.mgrid[0:H, 0:W].astype(F)
    back = 2 * foot_row - r
    near = np.clip((r - foot_row) / 160, 0.05, 1)
    pick_c, pick_r = c + 420 * near * shift_x, back + 520 * near * shift_z
    ghost = sample(alpha[..., None], pick_c, np.clip(pick_r, 0, H - 2)) * wet[..., None]
    ghost *= (r > foot_row - 2)[..., None]
    image = mix(image, sample(bird, pick_c, pick_r) * 0.80 + rgb(0.012, 0.016, 0.02), 0.82 * ghost)
    for leg in LEGS:  # a ring where each leg meets the water
        cx, cy = foot_col + leg[-1][0] * FOCAL / foot_z / 100, foot_row - leg[-1][1] * 4
        d = np.hypot(c - cx, (r - cy) * 3.6)
        ring = np.exp(-d / 34) * np.cos(d / 3.6) * wet
        image = image * (1 + 0.30 * ring)[..., None]
    image = mix(image, bird, alpha[..., None])
    image = draw_grass(image, rng)
    Image.fromarray(develop(image, rng)).save(out, optimize=True)
    print(f"{out}: {os.path.getsize(out)} bytes")


if __name__ == "__main__":
    main()
