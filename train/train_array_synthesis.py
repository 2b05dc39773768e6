#!/usr/bin/python3
"""Trains a synthesis network of arrays: on volumes (.npy, whole numbers or floats, three axes; or planes, two) and pictures.

    cmake --build --preset release --target record_slices
    train/train_array_synthesis.py --data VOLUMES --images IMAGES --size medium --minutes 40 --out RUN/medium.pt
    train/finish_array.py RUN/medium.pt --name volume-1-medium --out models/weights

`--holdout` parts of each array, at the end of its first axis, are never trained on: the gain there is what a line tells, by
octaves of the range in a step, in dB over the plain decoder. Schedule and --resume are as train_synthesis.py has them."""
import argparse
import glob
import os

import numpy as np
import torch

import array_network as N
import array_slices as S
import synthesis_run as R

FLOOR = 0.0006  # squared steps: crops with less error than that weigh less


def loss_of(net, slices, true):
    error = true - slices[:, 1:2]
    unit = N.UNIT ** 2
    base = (error.square().mean((1, 2, 3)) / unit).clamp(min=FLOOR)
    return ((error - N.correction(net, slices)).square().mean((1, 2, 3)) / unit / base).mean()


@torch.no_grad()
def gain(net, tile, every=3):
    """dB that a network gains on a recorded tile, bounds of its type included."""
    decoded, true, least, largest = tile
    c, z, h, w = decoded.shape
    before = after = 0.0
    for k in range(c):
        for i in range(0, z, every):
            x = decoded[k, [max(i - 1, 0), i, min(i + 1, z - 1)]].astype(np.float32).clip(least, largest)
            x = np.pad(x, ((0, 0), (0, -h % 8), (0, -w % 8)), mode='edge')
            y = N.correction(net, torch.from_numpy(x)[None])[0, 0, :h, :w].numpy()
            t, d = true[k, i].astype(np.float32), x[1, :h, :w]
            before += float(np.square(t - d).sum(dtype=np.float64))
            after += float(np.square(t - (d + y).clip(least, largest)).sum(dtype=np.float64))
    return 10 * np.log10(before / max(after, 1e-9))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    R.arguments(p, lr=3e-3, size='small')
    p.add_argument('--data', help='folder of .npy'); p.add_argument('--images', help='folder of pictures')
    p.add_argument('--record', default='build/release/train/record_slices'); p.add_argument('--work', default='/tmp/array-slices')
    p.add_argument('--holdout', type=float, default=0.5); p.add_argument('--draws', type=int, default=4, help='steps for each variant of an array')
    p.add_argument('--pictures', type=int, default=1500); p.add_argument('--batch', type=int, default=12); p.add_argument('--side', type=int, default=128)
    a = p.parse_args()
    if a.start:
        raise SystemExit('--start: not for arrays; --resume goes on from --out')
    torch.set_num_threads(a.threads); torch.manual_seed(a.seed)
    rng = np.random.default_rng(a.seed)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    sets, held = [], []
    for i, file in enumerate(sorted(glob.glob(os.path.join(a.data, '*.npy'))) if a.data else []):
        whole = np.load(file)
        if whole.ndim not in (2, 3) or not np.isfinite(whole).all():
            raise SystemExit(f'{file}: not two or three axes of numbers')
        cut = max(1, round(len(whole) * (1 - a.holdout)))
        drawn = [v for v in S.variants(whole[:cut]) for _ in range(a.draws)]
        sets.append(S.Crops(S.record(drawn, a.record, a.work, f'array{i}', rng), a.side, a.seed + i))
        if cut < len(whole):
            for octaves in (2, 3, 4, 5, 6):
                tiles = S.record([whole[cut:]], a.record, a.work, 'held', rng, (octaves, octaves))
                held.append((f'{os.path.basename(file)[:-4]}/{octaves}', tiles))
    sets *= 2  # pictures are what volumes are not: a fifth of two volumes' batches
    if a.images:
        shots = S.record(S.pictures(a.images, a.pictures, 256, rng), a.record, a.work, 'pictures', rng)
        sets.append(S.Crops(shots[30:], a.side, a.seed + 99))
        held.append(('pictures', shots[:30]))
    if not sets or not all(s.tiles for s in sets):
        raise SystemExit(f'nothing to train on with slices of {a.side} x {a.side} and more')
    run = R.Run(a, device, beta2=0.99, make=N.make)
    print(f'{a.size}: {run.net.macs_per_pixel():.0f} MAC/sample, {sum(len(s.tiles) for s in sets)} recorded tiles', flush=True)

    def batch(net):
        slices, true = sets[run.step % len(sets)].batch(a.batch)
        return loss_of(net, torch.from_numpy(slices).to(device).contiguous(memory_format=torch.channels_last), torch.from_numpy(true).to(device))

    def gains(net):
        on_cpu = N.make(a.size)
        on_cpu.load_state_dict({k: v.cpu() for k, v in net.state_dict().items()})
        on_cpu.set_quantised(net.quantised)
        return ' '.join(f'{name} {np.mean([gain(on_cpu, t) for t in tiles]):.3f}' for name, tiles in held)

    fixed = [tuple(torch.from_numpy(v) for v in s.batch(a.batch)) for s in sets]
    run.train(batch, lambda net: np.mean([loss_of(net, x.to(device), t.to(device)).item() for x, t in fixed]), gains)


if __name__ == '__main__':
    main()
