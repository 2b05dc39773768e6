#!/usr/bin/python3
"""Makes a larger synthesis network of a trained one, without gradients: all eight orientations of it side by side.

    orient_network.py --network models/weights/swift-1-large.safetensors --data IMAGES [--cache CACHE] --name swift-1-huge --size huge --out FOLDER

A picture mirrored or turned is a picture, and its transform is the same numbers with other signs and in other places. So
a trained network mirrored or turned answers as well as the network itself, with errors of its own, and their mean is
better than each (self-ensemble; Timofte, Rothe and Van Gool, CVPR 2016, section 3.5). Here the mean gives way to least
squares: the last 1x1 convolution sees the hidden channels of all eight and is solved for, in closed form, on what
train_synthesis.py draws from pictures, and on a cache of make_cache.py (without --teacher) with symbols of higher efforts.

In the file the eight are groups of one network. Its first layer copies the input and adds the differences of DC to the
right and below, which are the neighbours' to the left and above, negated (in the last column and row, where there is no
neighbour, the block's own stand for them)."""
import argparse
import json
import os
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

import cards
import export_swift as E
import replay
import swift_data
import swift_transform as T
from swift_synthesis import ACT, OUT, Synthesis
from synthesis_run import machine_name
from train_cached import Cache
from train_synthesis import draw

ORIENTATIONS = [(t, x, y) for t in (False, True) for y in (False, True) for x in (False, True)]  # mirrored in x, in y, then transposed
GROUPS, WIDE = 13, 19  # of the first layer: each makes copies of its 16 channels, and three more


def side_channels():
    """Of the first layer's output: where input channel i is, and where the differences to the right and below are, by plane."""
    copy = np.arange(208) // 16 * WIDE + np.arange(208) % 16
    right = [copy[p * 64] // WIDE * WIDE + 16 for p in range(3)]
    below = [copy[192] // WIDE * WIDE + 16 + p for p in range(3)]
    return copy, right, below


def side_layer():
    """Weights s8 {247, 3, 3, 16}: copies, and minus the neighbour's difference."""
    copy, right, below = side_channels()
    w = np.zeros((GROUPS * WIDE, 3, 3, 16), np.int8)
    for i in range(208):
        w[copy[i], 1, 1, i % 16] = 1
    for p in range(3):
        w[right[p], 1, 2, p * 64 % 16] = -1
        w[below[p], 2, 1, (192 + p) % 16] = -1
    return w


def channel(p, u, v):
    return p * 64 + u * 8 + v


def signs(orientation):
    """+-1 {8, 8} by u, v."""
    _, x, y = orientation
    k = (-1) ** np.arange(8)
    return np.outer(k if x else k * k, k if y else k * k)


def turned_head(w, orientation):
    """Weights {out, 208} as they apply to what side_layer() gives of the picture that is not turned."""
    t, x, y = orientation
    copy, right, below = side_channels()
    out = np.zeros((len(w), GROUPS * WIDE), w.dtype)
    out[:, copy[195:]] = w[:, 195:]
    s = signs(orientation)
    for p in range(3):
        for u in range(8):
            for v in range(8):
                if u or v:
                    out[:, copy[channel(p, u, v)]] = w[:, channel(p, *((v, u) if t else (u, v)))] * s[u, v]
        left, above = w[:, p * 64], w[:, 192 + p]
        out[:, right[p] if x else copy[p * 64]] = above if t else left
        out[:, below[p] if y else copy[192 + p]] = left if t else above
    return out


def turned_kernel(w, orientation):
    t, x, y = orientation
    w = w.swapaxes(1, 2) if t else w
    return w[:, ::-1 if y else 1, ::-1 if x else 1]


def turned_outputs(rows, orientation):
    """{192, ..}: rows of the turned network's last layer, for the picture that is not turned."""
    out, s = np.empty_like(rows), signs(orientation)
    for p in range(3):
        for u in range(8):
            for v in range(8):
                out[channel(p, u, v)] = rows[channel(p, *((v, u) if orientation[0] else (u, v)))] * s[u, v]
    return out


class Turned:
    """Integers of a file's layers in all orientations, side by side, and the same in float for its hidden channels."""

    def __init__(self, path):
        self.tensors, self.metadata = E.read_safetensors(path)
        graph = json.loads(self.metadata['network.synthesis'])
        self.layers = graph['layers']
        self.width = self.layers[0]['out']
        assert all(l['op'] == 'conv' and l['groups'] == 1 for l in self.layers) and [l['name'] for l in self.layers][::len(self.layers) - 1] == ['head', 'tail']

    def get(self, name, key):
        return self.tensors[f'synthesis.{name}.{key}']

    def side_by_side(self, name, key):
        a = self.get(name, key)
        if key != 'weight':
            return np.concatenate([a] * len(ORIENTATIONS))
        if name == 'head':
            return np.concatenate([turned_head(a[:, 0, 0], o) for o in ORIENTATIONS])[:, None, None]
        return np.ascontiguousarray(np.concatenate([turned_kernel(a, o) for o in ORIENTATIONS]))

    def macs_per_pixel(self):
        sides, first = side_layer(), self.get('head', 'weight')
        rest = sum(self.get(l['name'], 'weight').size for l in self.layers[1:])
        return (sides.size + len(ORIENTATIONS) * (len(first) * len(sides) + rest)) / 64

    def prior(self):
        """The mean of all, as weights {192, 8 * width + 1} of hidden channels in units and 1; outputs in steps."""
        unit = (self.get('tail', 'mult') * 2.0 ** -self.get('tail', 'shift').astype(float) / OUT)[:, None]
        w, b = self.get('tail', 'weight')[:, 0, 0] * unit * ACT, self.get('tail', 'bias')[:, None] * unit
        n = len(ORIENTATIONS)
        return np.concatenate([turned_outputs(w, o) / n for o in ORIENTATIONS] + [sum(turned_outputs(b, o) for o in ORIENTATIONS) / n], 1)

    def hidden(self, features):
        """{n, 208, h, w} in the file's order -> {n, 8 * width, h, w} in units, as the integers have them (ties apart)."""
        f32 = lambda a: torch.from_numpy(np.ascontiguousarray(a).astype(np.float32))
        replicate = lambda x: F.pad(x, (1, 1, 1, 1), mode='replicate')
        if not hasattr(self, 'convs'):
            self.convs = {}
            for layer in self.layers[:-1]:
                name = layer['name']
                scale = self.side_by_side(name, 'mult') * 2.0 ** -self.side_by_side(name, 'shift').astype(float)
                w = self.side_by_side(name, 'weight') * scale[:, None, None, None]
                self.convs[name] = f32(w.transpose(0, 3, 1, 2)), f32(self.side_by_side(name, 'bias') * scale)
            self.sides = f32(side_layer().transpose(0, 3, 1, 2))
        values = {'in': F.conv2d(replicate(features), self.sides, groups=GROUPS)}
        for layer in self.layers[:-1]:
            w, b = self.convs[layer['name']]
            x = values[layer['input']]
            x = F.conv2d(replicate(x) if layer['kernel'] == 3 else x, w, b, groups=1 if layer['input'] == 'in' else len(ORIENTATIONS)).round()
            values[layer['name']] = (x + values[layer['residual']] if layer['residual'] else x).clamp(0, 255)
        return values[self.layers[-1]['input']] / ACT


def write(path, turned, tail, name, size, description):
    """`tail` {192, 8 * width + 1}: weights and bias."""
    tensors = {k: v for k, v in turned.tensors.items() if k.startswith('input.')}
    s = np.abs(tail[:, :-1]).max(1) / 63
    ratio = s / ACT * OUT
    shift = np.clip(np.floor(30 - np.log2(ratio)), 1, 62).astype(np.int64)
    layers = [{'op': 'conv', 'name': 'sides', 'input': 'in', 'kernel': 3, 'groups': GROUPS, 'out': GROUPS * WIDE, 'residual': None, 'output': 's8', 'input_zero_point': 128}]
    values = {'sides': (side_layer(), np.zeros(GROUPS * WIDE, np.int32), np.full(GROUPS * WIDE, 1 << 30, np.int32), np.full(GROUPS * WIDE, 30, np.uint8))}
    for layer in turned.layers[:-1]:
        first = layer['input'] == 'in'
        layers.append({**layer, 'input': 'sides' if first else layer['input'], 'groups': 1 if first else len(ORIENTATIONS), 'out': layer['out'] * len(ORIENTATIONS)})
        values[layer['name']] = tuple(turned.side_by_side(layer['name'], key) for key in ('weight', 'bias', 'mult', 'shift'))
    layers.append(turned.layers[-1])
    values['tail'] = (np.round(tail[:, :-1] / s[:, None]).astype(np.int8)[:, None, None], np.round(tail[:, -1] / (s / ACT)).astype(np.int32),
                      np.round(ratio * 2.0 ** shift).astype(np.int32), shift.astype(np.uint8))
    for layer, parts in values.items():
        for key, a in zip(('weight', 'bias', 'mult', 'shift'), parts):
            tensors[f'synthesis.{layer}.{key}'] = np.ascontiguousarray(a)
    graph = {'input_channels': 208, 'input_zero_point': 128, 'layers': layers}
    metadata = {**turned.metadata, 'godwit.name': name, 'godwit.synthesis.size': size, 'godwit.description': description, 'network.synthesis': json.dumps(graph, separators=(',', ':'))}
    return E.write_safetensors(path, tensors, metadata)


class Sums:
    """Normal equations of least squares: hidden channels and 1 against coefficients. `history`: the commands behind them, as in checkpoints."""

    def __init__(self, turned):
        n = len(ORIENTATIONS) * turned.width + 1
        self.turned, self.history = turned, []
        self.g, self.c = torch.zeros(n, n, dtype=torch.float64), torch.zeros(n, 192, dtype=torch.float64)
        self.order, self.out_order = E.synthesis_input_order(), E.synthesis_output_order()

    def add(self, features, target, weights):
        """As networks see them in training: {n, 208, h, w}, errors in steps {n, 192, h, w}, {n}."""
        root = weights.sqrt().view(-1, 1, 1, 1)
        h = self.turned.hidden(features[:, self.order])
        flat = lambda a: (a * root).permute(0, 2, 3, 1).reshape(-1, a.shape[1])
        h, y = flat(torch.cat([h, torch.ones_like(h[:, :1])], 1)), flat(target[:, self.out_order])
        self.g += (h.T @ h).double(); self.c += (h.T @ y).double()

    def save(self, path):
        torch.save(dict(g=self.g, c=self.c, history=self.history), path)

    def load(self, path):
        s = torch.load(path)
        self.g += s['g']; self.c += s['c']; self.history += s['history']

    def solve(self, ridge):
        """`ridge` pulls towards the mean, in parts of the mean square of a hidden channel."""
        prior = torch.from_numpy(self.turned.prior())
        pull = ridge * self.g.diagonal()[:-1].mean()
        return torch.linalg.solve(self.g + pull * torch.eye(len(self.g), dtype=torch.float64), self.c + pull * prior.T).T.numpy()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--network', required=True); p.add_argument('--data', required=True); p.add_argument('--cache'); p.add_argument('--out', required=True)
    p.add_argument('--name', required=True); p.add_argument('--size', required=True); p.add_argument('--batches', type=int, default=500); p.add_argument('--ridge', type=float, default=3e-3)
    p.add_argument('--save', metavar='FILE', help='keep the sums there, for --add'); p.add_argument('--add', metavar='FILE', nargs='*', default=[], help='sums of other runs of the same network')
    p.add_argument('--checkpoint', help='of the network, which knows how it was trained, if it has no card'); p.add_argument('--results')
    p.add_argument('--seed', type=int, default=771); p.add_argument('--threads', type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    turned, start = Turned(a.network), time.time()
    sums = Sums(turned)
    cache = Cache(a.cache) if a.cache else None
    if cache and cache.teacher:
        raise SystemExit(f'{a.cache}: holds the answers of {cache.teacher}, not what pictures would answer')
    with torch.no_grad():
        for i in range(len(cache.weights) if cache else 0):
            sums.add(*cache.batch(i))
        crops, rng = swift_data.Crops(swift_data.load(a.data)[0], 192, a.seed) if a.batches else None, np.random.default_rng(a.seed)
        for i in range(a.batches):
            coef = T.coefficients(torch.as_tensor(crops.batch(12)))
            step, net_step, layers, cond, offset = draw(12, rng, 'cpu')
            rec, _, _ = T.code(coef, step, layers, offset)
            target = (coef - rec) / net_step.view(-1, 1, 1, 1)
            # Flat crops have next to nothing to predict; the floor keeps them from ruling the sums.
            sums.add(T.features(rec, net_step, cond), target, 1 / target.square().sum((1, 2, 3)).clamp(min=0.003 * target[0].numel()))
            if i % 50 == 0:
                print(f'{i} of {a.batches}', flush=True)
    command = 'train/orient_network.py ' + ' '.join(sys.argv[1:])
    sums.history = (cache.about if cache else []) + [dict(command=command, minutes=(time.time() - start) / 60, machine=machine_name('cpu', a.threads))]
    if a.save:
        sums.save(a.save)
    for path in a.add:
        sums.load(path)
    path = os.path.join(a.out, a.name + '.safetensors')
    macs = turned.macs_per_pixel()
    net_id = write(path, turned, sums.solve(a.ridge), a.name, a.size, f'{macs / 1000:.1f} thousand multiply-adds a pixel')
    print(f'{path}: {os.path.getsize(path)} bytes, id {net_id}, {macs:.0f} multiply-adds a pixel')
    replay.write_replay(path)
    before = torch.load(a.checkpoint, map_location='cpu')['history'] if a.checkpoint else []
    cards.write_oriented(a.out, a.name, net_id, turned.metadata['godwit.synthesis.stream'], a.size, macs, E.model_id(a.network), before, sums.history,
                         cards.read_results(a.results) if a.results else None)


if __name__ == '__main__':
    main()
