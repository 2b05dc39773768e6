#!/usr/bin/python3
"""Fits an entropy model, `full` or `mid`, for the streams of a stream model.

    fit_full.py --data IMAGES --stream models/weights/swift-1.safetensors --programs build/release/train --work WORK --out FILE

PROGRAMS holds record_symbols and fit_full_start. Networks that WORK has already are not trained again, so a run that
was cut off goes on with the same options, and one network is trained anew by deleting its file. --efforts says which symbols are fitted to:
those of the encoder's efforts, crop by crop, aimed at --synthesis."""
import argparse
import functools
import json
import os
import pickle
import subprocess
import sys
import time

import numpy as np
import torch

import cards
import export_swift as E
import full_features as X
import full_network as N
import swift_data
from synthesis_run import machine_name

GROUPS, DECISIONS, OPINIONS, STEPS, LANES, SCALES, EXPONENTS, MANTISSAS = 33, 9, 5, 33, 16, 13, 16, 3
START = (('weights', (GROUPS, DECISIONS, OPINIONS), np.int32), ('refined', (GROUPS, DECISIONS, STEPS), np.uint16), ('place', (GROUPS, DECISIONS, LANES), np.uint16),
         ('exponent', (GROUPS, SCALES, EXPONENTS), np.uint16), ('mantissa', (GROUPS, EXPONENTS, MANTISSAS), np.uint16))


def write_crops(path, images, count, size, seed, steps=None):
    crops, rng = swift_data.Crops([i for i in images if min(i.shape[:2]) >= size], size, seed), np.random.default_rng(seed)
    with open(path, 'wb') as f:
        for i in range(count):
            a = np.ascontiguousarray(crops.batch(1)[0])
            s = steps[i % len(steps)] if steps else int(rng.integers(150, 335) if rng.random() < 0.87 else rng.integers(30, 150))
            np.array([size, size, s, 3], np.uint32).tofile(f)
            a.tofile(f)


def plain_start():
    """The network's word counts; other opinions help a little."""
    points = np.round(65536 / (1 + np.exp(10 - np.arange(81) / 4))).astype(int)
    y = np.minimum(np.arange(STEPS) * 160 - 2559, 2559) + 2560
    refined = (points[y >> 6] * (64 - (y & 63)) + points[np.minimum((y >> 6) + 1, 80)] * (y & 63) + 32) >> 6
    start = {f'start.{k}': np.full(shape, 32768, t) for k, shape, t in START}
    start['start.weights'][:] = [40000, 15000, 10000, 0, 0]
    start['start.refined'][:] = refined
    return start


def read_start(path):
    raw, at, start = np.fromfile(path, np.int32), 0, {}
    for name, shape, t in START:
        n = int(np.prod(shape))
        a = raw[at:at + n].reshape(shape)
        start[f'start.{name}'] = (a if t == np.int32 else np.clip(a, 1, 65535)).astype(t)
        at += n
    return start


class Fit:
    def __init__(self, a):
        self.a, self.since = a, time.time()
        kept = dict((k, getattr(a, k)) for k in ('hidden', 'odd_hidden', 'efforts', 'synthesis', 'crops', 'held', 'size'))
        path = self.path('options.json')
        if not os.path.exists(path):
            with open(path, 'w') as f:
                json.dump(kept, f)
        elif json.load(open(path)) != kept:
            raise SystemExit(f'{path}: that work was begun with other options')
        self.context, _ = E.read_safetensors(a.stream)

    @functools.cached_property
    def train(self):
        return X.Crops(X.read_symbols(self.path('fit.symbols')), self.context)

    @functools.cached_property
    def held(self):
        return X.Crops(X.read_symbols(self.path('held.symbols')), self.context)

    def path(self, name):
        return os.path.join(self.a.work, name)

    def minutes(self):
        """Spent so far, earlier runs included; kept."""
        path, now = self.path('minutes.json'), time.time()
        spent = (json.load(open(path)) if os.path.exists(path) else 0) + (now - self.since) / 60
        self.since = now
        with open(path, 'w') as f:
            json.dump(spent, f)
        return spent

    def network(self, name, make, held, values, flag, hidden):
        """Trains and keeps, unless it is there."""
        path = self.path(name + '.net')
        if os.path.exists(path):
            return
        data, held = make(), held()
        net = N.train(data, values, flag, hidden, self.a.odd_hidden, self.a.steps)
        cost = N.total_bits(net, held) / (self.held.n * self.held.h * self.held.w * 64)
        with open(path, 'wb') as f:
            pickle.dump((net.state_dict(), values, flag), f)
        self.minutes()
        print(name, len(data[1]), 'places; held-out bits a pixel of flags, zeros, magnitudes, signs:', *(f'{c:.5f}' for c in cost), flush=True)

    def all(self):
        rng, none = np.random.default_rng(1), lambda e: np.zeros((len(e), 0), np.int8)
        for p in range(3):
            hidden = min(self.a.hidden, 64 if p == 0 else 32)
            for b in range(X.LUMA_NETS if p == 0 else X.CHROMA_NETS):
                self.network(f'band.{p}.{b}', lambda: next(self.train.bands(p, [b], self.a.places, rng))[1:6],
                             lambda: next(self.held.bands(p, [b]))[1:6], len(X.BANDS[b]), True, hidden)
                cell = lambda crops: (lambda e, f: (none(e), e, none(e), f, None))(*next(crops.cells(p, [b]))[1:3])
                self.network(f'cell.{p}.{b}', lambda: cell(self.train), lambda: cell(self.held), 0, True, min(self.a.hidden, 16))
            self.network(f'coarse.{p}', lambda: self.train.coarse_ac(p), lambda: self.held.coarse_ac(p), 15, True, hidden)
            self.network(f'coarse_dc.{p}', lambda: self.train.coarse_dc(p), lambda: self.held.coarse_dc(p), 1, False, min(self.a.hidden, 16))

    def export(self, path, start, extra=None):
        tensors = {'level': X.LEVEL.astype(np.uint8), **start}
        for f in sorted(os.listdir(self.a.work)):
            if f.endswith('.net'):
                with open(self.path(f), 'rb') as file:
                    tensors.update(N.integer_tensors(f[:-4], *pickle.load(file)))
        return E.write_safetensors(path, tensors, {'godwit.codec': 'swift', 'godwit.kind': 'entropy',
                                                   'godwit.entropy.stream': E.model_id(self.a.stream), **(extra or {})})

    def start(self):
        """Where the adaptive parts begin: probabilities from a run over all crops, then weights with those."""
        run = lambda *args: subprocess.run([os.path.join(self.a.programs, 'fit_full_start'), self.a.stream, *args, *self.a.symbols], check=True)
        model, raw = self.path('start.safetensors'), self.path('start.raw')
        self.export(model, plain_start())
        run(model, self.path('fit.crops'), raw, 'all')
        first = read_start(raw)
        self.export(model, first)
        run(model, self.path('fit.crops'), raw, 'once')
        first['start.weights'] = read_start(raw)['start.weights']
        print('model', self.export(self.a.out, first, {'godwit.name': self.a.name, 'godwit.version': self.a.version,
                                                       'godwit.entropy.size': self.a.kind, 'godwit.description': f'{self.a.kind} entropy coding'}))
        run(self.a.out, self.path('held.crops'), '-', 'once')
        folder, name = os.path.split(self.a.out)
        results = cards.read_results(self.a.results) if self.a.results else None
        run = dict(vars(self.a), minutes=self.minutes(), machine=machine_name('cpu', self.a.threads), command=' '.join(['train/fit_full.py', *sys.argv[1:]]))
        cards.write_entropy(folder, name[:-len('.safetensors')], E.model_id(self.a.out), E.model_id(self.a.stream), run, results)


def main():
    p = argparse.ArgumentParser()
    for name in ('--data', '--stream', '--programs', '--work', '--out'):
        p.add_argument(name, required=True)
    p.add_argument('--name'); p.add_argument('--version', default='1')
    p.add_argument('--crops', type=int, default=440); p.add_argument('--held', type=int, default=60)
    p.add_argument('--size', type=int, default=512); p.add_argument('--steps', type=int, default=9000)
    p.add_argument('--kind', default='full', choices=('mid', 'full'))
    p.add_argument('--hidden', type=int, default=64, choices=(8, 16, 32, 64)); p.add_argument('--odd-hidden', type=int, default=16, choices=(0, 16)); p.add_argument('--efforts', default='1'); p.add_argument('--synthesis')
    p.add_argument('--places', type=int, default=800000); p.add_argument('--results'); p.add_argument('--limit', type=int); p.add_argument('--threads', type=int, default=1)
    a = p.parse_args()
    a.name = a.name or f'swift-1-{a.kind}'
    a.symbols = [a.efforts] + ([a.synthesis] if a.synthesis else [])
    os.makedirs(a.work, exist_ok=True)
    torch.set_num_threads(a.threads)
    path = lambda n: os.path.join(a.work, n)
    fit = Fit(a)
    if not os.path.exists(path('held.symbols')):
        train, held = swift_data.load(a.data, limit=a.limit)
        write_crops(path('fit.crops'), train, a.crops, a.size, 31)
        write_crops(path('held.crops'), held, a.held, a.size, 22, [185, 215, 240, 265, 290, 305])
        for n in ('fit', 'held'):
            subprocess.run([os.path.join(a.programs, 'record_symbols'), a.stream, path(n + '.crops'), path(n + '.symbols'), *a.symbols], check=True, stdout=subprocess.DEVNULL)
    fit.all()
    fit.start()


if __name__ == '__main__':
    main()
