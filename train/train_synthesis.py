#!/usr/bin/python3
"""Trains a synthesis network for the fixed swift analysis, on hard-rounded symbols, for all rates at once.

    train_synthesis.py --data FOLDER --kodak FOLDER --size medium --minutes 60 --out run/medium.pt [--resume]

The analysis is orthonormal, so squared error in coefficients is squared error in RGB: nothing is decoded to
pixels while training. Each crop draws its own step, dead zone and number of layers. The last part of the time
trains with the arithmetic of the integer network imitated (quantisation-aware).

--start FILE begins with the weights of a shipped .safetensors file of this size: checkpoints get lost, and what
the file says is all but what the checkpoint said. Optimiser and averages begin anew.

--resume takes networks, optimiser and step count from --out and begins the schedule anew: the learning rate falls
along a cosine over this run's own --minutes, from --lr again, and this run's last --qat imitates integers. Crops
and draws are seeded by --seed and the step, so a resumed run sees new ones. Without --resume an --out that is there
becomes OUT.old. Checkpoints keep the commands and minutes of all runs, for the card."""
import argparse
import glob
import os

import numpy as np
import torch

import swift_data
import swift_layout as L
import swift_transform as T
import synthesis_run as R
from swift_synthesis import SIZES


def draw(n, rng, device):
    """Step, net step, layers and dead zone per crop."""
    layers = np.where(rng.random(n) < 0.8, 8, rng.integers(1, 9, n))
    # Three fifths where pictures are mostly coded, a quarter below 0.1 bit/pixel, where blocks show first.
    ranges = [rng.uniform(2.3, 7.2, n), rng.uniform(6.5, 9.7, n), rng.uniform(0.0, 9.0, n)]
    log2 = np.choose(rng.choice(3, n, p=[0.6, 0.25, 0.15]), ranges)
    floor = np.array(L.STEP_FLOOR)[layers]
    step = np.maximum(2.0 ** log2, np.where(floor > 0, floor * rng.uniform(0.5, 1.5, n), 0))
    net = np.maximum(step, floor)
    cond = np.stack([L.conditioning(np.log2(a), b) for a, b in zip(net, layers)])
    offset = rng.uniform(0.33, 0.5, n)
    t = lambda a, d=torch.float32: torch.tensor(a, dtype=d, device=device)
    return t(step), t(net), t(layers, torch.long), t(cond), t(offset)


def loss_of(net, coef, step, net_step, layers, cond, offset):
    with torch.no_grad():
        rec, _, _ = T.code(coef, step, layers, offset)
        x = T.features(rec, net_step, cond)
        target = (coef - rec) / net_step.view(-1, 1, 1, 1)
    err = (target - net(x.contiguous(memory_format=torch.channels_last))).square().sum((1, 2, 3))
    # Flat crops have next to nothing to predict; the floor keeps them from ruling the mean.
    floor = 0.003 * target[0].numel()
    return (err / target.square().sum((1, 2, 3)).clamp(min=floor)).mean()


@torch.no_grad()
def kodak_psnr(net, images, steps=(8, 16, 32, 64, 128), offset=0.42):
    """Mean PSNR gain in dB over the plain inverse transform, by step, all layers; sides cropped to 32."""
    rows = []
    for s in steps:
        gain, psnr = [], []
        for im in images:
            h, w = im.shape[0] // 32 * 32, im.shape[1] // 32 * 32
            device = next(net.parameters()).device
            a = torch.as_tensor(im[None, :h, :w].copy()).to(device)
            coef, st = T.coefficients(a), torch.tensor([float(s)], device=device)
            rec, _, _ = T.code(coef, st, torch.tensor([8], device=device), offset)
            x = T.features(rec, st, torch.tensor(L.conditioning(np.log2(s), 8), device=device)[None])
            both = []
            for c in (rec, rec + net(x) * s):
                mse = (T.inverse(c).round().clamp(0, 255) - a.float()).square().mean().item()
                both.append(10 * np.log10(255 ** 2 / mse))
            gain.append(both[1] - both[0]); psnr.append(both[1])
        rows.append(f'{s}:{np.mean(psnr):.3f}({np.mean(gain):+.3f})')
    return ' '.join(rows)


def check(a):
    """Says what is wrong with the arguments before pictures are read; an hour later is too late."""
    folder = os.path.dirname(os.path.abspath(a.out))
    for what in filter(None, (a.data, a.kodak, folder)):
        if not os.path.isdir(what):
            raise SystemExit(f'{what}: no such folder')
    if a.kodak and not glob.glob(os.path.join(a.kodak, '*.png')):
        raise SystemExit(f'{a.kodak}: no PNG pictures')
    if a.size not in SIZES:
        raise SystemExit(f'--size {a.size}: not one of {", ".join(SIZES)}')
    if a.crop % 32 or not 32 <= a.crop <= 256:
        raise SystemExit(f'--crop {a.crop}: not a multiple of 32, at most 256')
    if a.start and a.resume:
        raise SystemExit('--start and --resume: one or the other')
    if a.start and not os.path.isfile(a.start):
        raise SystemExit(f'{a.start}: no such file')
    if a.resume and not os.path.exists(a.out):
        print(f'{a.out}: not there, so nothing to resume; starting from nothing', flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    R.arguments(p, lr=1.5e-3, size='medium')
    p.add_argument('--data', required=True); p.add_argument('--limit', type=int)
    p.add_argument('--crop', type=int, default=192); p.add_argument('--batch', type=int, default=12)
    a = p.parse_args()
    check(a)
    torch.set_num_threads(a.threads); torch.manual_seed(a.seed)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    train, held = swift_data.load(a.data, limit=a.limit)
    kodak = R.load_kodak(a.kodak)
    run = R.Run(a, device, beta2=0.98)
    print(f'{a.size}: {run.net.macs_per_pixel():.0f} MAC/pixel, {len(train)} pictures, {len(held)} held out', flush=True)
    crops, vcrops = swift_data.Crops(train, a.crop, a.seed + run.step), swift_data.Crops(held or train, a.crop, 7)
    rng = np.random.default_rng(a.seed + 100 + run.step)
    valid = [(T.coefficients(vcrops.batch(8)).to(device), draw(8, np.random.default_rng(k), device)) for k in range(6)]

    def batch_loss(net):
        coef = T.coefficients(torch.as_tensor(crops.batch(a.batch)).to(device))
        return loss_of(net, coef, *draw(a.batch, rng, device))

    run.train(batch_loss, lambda net: np.mean([loss_of(net, c, *d).item() for c, d in valid]), lambda net: kodak_psnr(net, kodak) if kodak else '')


if __name__ == '__main__':
    main()
