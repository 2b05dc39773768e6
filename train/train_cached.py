#!/usr/bin/python3
"""Trains a synthesis network on what make_cache.py has made: no pictures, no symbols, only the network's own work.

    train_cached.py --cache CACHE --kodak KODAK --size small --minutes 45 --out RUN/small.pt
    train_cached.py --cache CACHE --kodak KODAK --size medium --start models/weights/swift-1-medium.safetensors --lr 6e-4 ...

With a teacher's answers a small network learns in minutes what takes it hours from pictures: nine tenths of what a
network could correct cannot be known from the symbols, so that the pictures' own gradient is mostly noise. Caches may be
passed over many times: there are a thousand values for each weight.

The schedule, --start and checkpoints are as train_synthesis.py has them, which can go on from the same file."""
import argparse
import json
import os

import numpy as np
import torch

import synthesis_run as R
from swift_synthesis import OUT, SIZES
from train_synthesis import kodak_psnr


class Cache:
    def __init__(self, folder):
        self.about = json.load(open(os.path.join(folder, 'about.json')))
        self.features, self.answers, self.weights = (np.load(os.path.join(folder, n + '.npy'), mmap_mode='r') for n in ('features', 'answers', 'weights'))
        self.teacher = next((line['origin'] for line in self.about if '--teacher' in line['command']), None)
        self.unit = 1 / OUT if self.answers.dtype == np.int8 else 1.0
        self.held = len(self.weights) // 50 + 1  # batches at the end, never trained on

    def batch(self, i, device='cpu'):
        """Features, answers in steps, weights."""
        x, y, weights = (torch.from_numpy(np.array(a[i])).to(device).float() for a in (self.features, self.answers, self.weights))
        return x, y * self.unit, weights

    def loss_of(self, net, i, device):
        x, y, weights = self.batch(i, device)
        x = x.contiguous(memory_format=torch.channels_last)
        return ((y - net(x)).square().sum((1, 2, 3)) * weights).mean()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    R.arguments(p, lr=3e-3, size='small')
    p.add_argument('--cache', required=True)
    a = p.parse_args()
    if a.size not in SIZES:
        raise SystemExit(f'--size {a.size}: not one of {", ".join(SIZES)}')
    torch.set_num_threads(a.threads); torch.manual_seed(a.seed)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    cache = Cache(a.cache)
    kodak = R.load_kodak(a.kodak)
    run = R.Run(a, device, beta2=0.99, history=cache.about, teacher=cache.teacher)
    batches = len(cache.weights) - cache.held
    print(f'{a.size}: {run.net.macs_per_pixel():.0f} MAC/pixel, {batches} batches, {cache.held} held out', flush=True)
    rng = np.random.default_rng(a.seed + run.step)
    run.train(lambda net: cache.loss_of(net, rng.integers(0, batches), device),
              lambda net: np.mean([cache.loss_of(net, batches + k, device).item() for k in range(cache.held)]), lambda net: kodak_psnr(net, kodak) if kodak else '')


if __name__ == '__main__':
    main()
