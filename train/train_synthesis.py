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
import platform
import sys
import time

import numpy as np
import torch
from PIL import Image

import export_swift as E
import swift_data
import swift_layout as L
import swift_transform as T
from swift_synthesis import SIZES, Synthesis


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


def machine_name(device, threads):
    if device == 'cuda':
        return torch.cuda.get_device_name(0)
    model = [line.split(':')[1].strip() for line in open('/proc/cpuinfo') if line.startswith('model name')] if os.path.exists('/proc/cpuinfo') else []
    return f'{(model or [platform.machine()])[0]}, {threads} of {os.cpu_count()} cores, CPU only'


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--data', required=True); p.add_argument('--kodak'); p.add_argument('--out', required=True)
    p.add_argument('--size', default='medium'); p.add_argument('--minutes', type=float, default=10)
    p.add_argument('--start', metavar='FILE'); p.add_argument('--resume', action='store_true'); p.add_argument('--seed', type=int, default=1)
    p.add_argument('--crop', type=int, default=192); p.add_argument('--batch', type=int, default=12)
    p.add_argument('--lr', type=float, default=1.5e-3); p.add_argument('--threads', type=int, default=1)
    p.add_argument('--qat', type=float, default=0.25, help='last fraction of the time with integer arithmetic imitated')
    p.add_argument('--eval-minutes', type=float, default=5); p.add_argument('--limit', type=int)
    a = p.parse_args()
    check(a)
    torch.set_num_threads(a.threads); torch.manual_seed(a.seed)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    train, held = swift_data.load(a.data, limit=a.limit)
    kodak = [np.asarray(Image.open(f).convert('RGB')) for f in sorted(glob.glob(os.path.join(a.kodak, '*.png')))[::4]] if a.kodak else []
    net, origin = Synthesis(a.size), None
    if a.start:
        origin, size = E.model_id(a.start), E.read_safetensors(a.start)[1].get('godwit.synthesis.size')
        if size != a.size:
            raise SystemExit(f'{a.start}: is a {size} network, not {a.size}')
        E.import_synthesis(a.start, net)
    net = net.to(device).to(memory_format=torch.channels_last)
    ema = Synthesis(a.size).to(device)
    ema.load_state_dict(net.state_dict())
    opt = torch.optim.Adam(net.parameters(), lr=a.lr, betas=(0.9, 0.98))
    spent, step_no, history = 0.0, 0, []
    if a.resume and os.path.exists(a.out):
        s = torch.load(a.out, map_location=device)
        if s['size'] != a.size:
            raise SystemExit(f'{a.out}: is a {s["size"]} network, not {a.size}')
        spent, history, origin = s.get('minutes', 0.0), s.get('history', []), s.get('origin')
        net.load_state_dict(s['net']); ema.load_state_dict(s['ema']); opt.load_state_dict(s['opt']); step_no = s['step']
    elif os.path.exists(a.out):
        os.replace(a.out, a.out + '.old')
    print(f'{a.size}: {net.macs_per_pixel():.0f} MAC/pixel, {len(train)} pictures, {len(held)} held out', flush=True)
    crops, vcrops = swift_data.Crops(train, a.crop, a.seed + step_no), swift_data.Crops(held or train, a.crop, 7)
    rng = np.random.default_rng(a.seed + 100 + step_no)
    valid = [(T.coefficients(vcrops.batch(8)).to(device), draw(8, np.random.default_rng(k), device)) for k in range(6)]
    start = last_eval = time.time()

    def save():
        minutes = (time.time() - start) / 60
        run_line = dict(command='train/train_synthesis.py ' + ' '.join(sys.argv[1:]), minutes=minutes, machine=machine_name(device, a.threads))
        torch.save(dict(net=net.state_dict(), ema=ema.state_dict(), opt=opt.state_dict(), step=step_no, size=a.size, origin=origin,
                        minutes=spent + minutes, history=history + [run_line]), a.out + '.tmp')
        os.replace(a.out + '.tmp', a.out)

    def report():
        with torch.no_grad():
            v = np.mean([loss_of(ema, c, *d).item() for c, d in valid])
        print(f'step {step_no} min {(time.time() - start) / 60:.1f} train {run:.4f} valid {v:.4f} '
              f'{kodak_psnr(ema, kodak) if kodak else ""}', flush=True)

    if a.start:  # to be compared with the file's own card
        ema.set_quantised(True)
        run = 0.0
        report()
        ema.set_quantised(False)
    run = 1.0
    while True:
        done = (time.time() - start) / (a.minutes * 60)
        if done >= 1:
            break
        for g in opt.param_groups:
            g['lr'] = a.lr * min(1, (step_no + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * done)))
        if done >= 1 - a.qat and not net.quantised:
            net.set_quantised(True); ema.set_quantised(True)
            ema.load_state_dict(net.state_dict())
        coef = T.coefficients(torch.as_tensor(crops.batch(a.batch)).to(device))
        loss = loss_of(net, coef, *draw(a.batch, rng, device))
        opt.zero_grad(); loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step(); step_no += 1
        run = 0.99 * run + 0.01 * loss.item()
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
