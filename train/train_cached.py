#!/usr/bin/python3
"""Trains a synthesis network on what make_cache.py has made: no pictures, no symbols, only the network's own work.

    train_cached.py --cache CACHE --kodak KODAK --size small --minutes 45 --out RUN/small.pt
    train_cached.py --cache CACHE --kodak KODAK --size medium --start models/weights/swift-1-medium.safetensors --lr 6e-4 ...

With a teacher's answers a small network learns in minutes what takes it hours from pictures: nine tenths of what a
network could correct cannot be known from the symbols, so that the pictures' own gradient is mostly noise. Caches may be
passed over many times: there are a thousand values for each weight.

The schedule, --start and checkpoints are as train_synthesis.py has them, which can go on from the same file."""
import argparse
import glob
import json
import os
import sys
import time

import numpy as np
import torch
from PIL import Image

import export_swift as E
from swift_synthesis import OUT, SIZES, Synthesis
from train_synthesis import kodak_psnr, machine_name


class Cache:
    def __init__(self, folder):
        self.about = json.load(open(os.path.join(folder, 'about.json')))
        self.features, self.answers, self.weights = (np.load(os.path.join(folder, n + '.npy'), mmap_mode='r') for n in ('features', 'answers', 'weights'))
        self.teacher = next((line['origin'] for line in self.about if '--teacher' in line['command']), None)
        self.unit = 1 / OUT if self.answers.dtype == np.int8 else 1.0
        self.held = len(self.weights) // 50 + 1  # batches at the end, never trained on

    def loss_of(self, net, i, device):
        x = torch.from_numpy(np.array(self.features[i])).to(device).float().contiguous(memory_format=torch.channels_last)
        y = torch.from_numpy(np.array(self.answers[i])).to(device).float() * self.unit
        weights = torch.from_numpy(np.array(self.weights[i])).to(device)
        return ((y - net(x)).square().sum((1, 2, 3)) * weights).mean()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--cache', required=True); p.add_argument('--kodak'); p.add_argument('--out', required=True)
    p.add_argument('--size', default='small', choices=list(SIZES)); p.add_argument('--start', metavar='FILE'); p.add_argument('--resume', action='store_true')
    p.add_argument('--minutes', type=float, default=10); p.add_argument('--seed', type=int, default=1)
    p.add_argument('--lr', type=float, default=3e-3); p.add_argument('--qat', type=float, default=0.25, help='last fraction of the time with integer arithmetic imitated')
    p.add_argument('--threads', type=int, default=1); p.add_argument('--eval-minutes', type=float, default=5)
    a = p.parse_args()
    torch.set_num_threads(a.threads); torch.manual_seed(a.seed)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    cache = Cache(a.cache)
    net, ema = (Synthesis(a.size) for _ in range(2))
    origin = E.model_id(a.start) if a.start else None
    if a.start:
        E.import_synthesis(a.start, net)
    net, ema = (n.to(device).to(memory_format=torch.channels_last) for n in (net, ema))
    ema.load_state_dict(net.state_dict())
    opt = torch.optim.Adam(net.parameters(), lr=a.lr, betas=(0.9, 0.99))
    spent, step_no, history = 0.0, 0, list(cache.about)
    if a.resume and os.path.exists(a.out):
        s = torch.load(a.out, map_location=device)
        spent, history, origin = s['minutes'], s['history'], s['origin']
        net.load_state_dict(s['net']); ema.load_state_dict(s['ema']); opt.load_state_dict(s['opt']); step_no = s['step']
    kodak = [np.asarray(Image.open(f).convert('RGB')) for f in sorted(glob.glob(os.path.join(a.kodak, '*.png')))[::4]] if a.kodak else []
    batches = len(cache.weights) - cache.held
    print(f'{a.size}: {net.macs_per_pixel():.0f} MAC/pixel, {batches} batches, {cache.held} held out', flush=True)
    start = last_eval = time.time()

    def save():
        minutes = (time.time() - start) / 60
        line = dict(command='train/train_cached.py ' + ' '.join(sys.argv[1:]), minutes=minutes, machine=machine_name(device, a.threads))
        torch.save(dict(net=net.state_dict(), ema=ema.state_dict(), opt=opt.state_dict(), step=step_no, size=a.size, origin=origin, teacher=cache.teacher,
                        minutes=spent + minutes, history=history + [line]), a.out + '.tmp')
        os.replace(a.out + '.tmp', a.out)

    def report():
        with torch.no_grad():
            v = np.mean([cache.loss_of(ema, batches + k, device).item() for k in range(cache.held)])
        print(f'step {step_no} min {(time.time() - start) / 60:.1f} train {run:.5f} valid {v:.5f} '
              f'{kodak_psnr(ema, kodak) if kodak else ""}', flush=True)

    rng, run = np.random.default_rng(a.seed + step_no), 0.0
    if a.start:  # to be compared with the file's own card
        ema.set_quantised(True)
        report()
        ema.set_quantised(False)
    while (done := (time.time() - start) / (a.minutes * 60)) < 1:
        for g in opt.param_groups:
            g['lr'] = a.lr * min(1, (step_no + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * done)))
        if done >= 1 - a.qat and not net.quantised:
            net.set_quantised(True); ema.set_quantised(True)
            ema.load_state_dict(net.state_dict())
        loss = cache.loss_of(net, rng.integers(0, batches), device)
        opt.zero_grad(); loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step(); step_no += 1
        run = loss.item() if run == 0 else 0.99 * run + 0.01 * loss.item()
        with torch.no_grad():
            decay = min(0.998, step_no / (step_no + 10))
            for pe, pn in zip(ema.parameters(), net.parameters()):
                pe.lerp_(pn, 1 - decay)
        if time.time() - last_eval > a.eval_minutes * 60:
            report(); save(); last_eval = time.time()
    net.set_quantised(True); ema.set_quantised(True)
    report(); save()


if __name__ == '__main__':
    main()
