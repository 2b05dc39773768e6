#!/usr/bin/python3
"""Makes what train_cached.py trains on: what a synthesis network sees of crops, and what it should answer.

    make_cache.py --data IMAGES --out CACHE [--batches 1000] [--programs build/release/train --stream MODEL
                  --efforts 1,1,3,5 --synthesis FILE]
    make_cache.py --from CACHE --teacher models/weights/swift-1-medium.safetensors --out CACHE2

Batches take turns with the efforts. Those of effort 1 are as train_synthesis.py draws them, with dead zones and numbers
of layers of all kinds; the symbols of higher efforts are the encoder's own, from record_symbols in PROGRAMS, aimed at
--synthesis from effort 4 on. The answers are the errors that symbols leave or, with --teacher, what that network says.

Features s8 {batches, batch, 208, h, w}; answers {.., 192, h, w}, f16 in steps or s8 in 1/64 step; weights f32
{.., batch}, one over the energy of a crop's errors. 4 MB a batch of twelve 192x192 crops, 2.8 MB with --teacher."""
import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np
import torch

import export_swift as E
import swift_data
import swift_layout as L
import swift_transform as T
from graph_network import GraphNetwork
from swift_synthesis import OUT
from synthesis_run import machine_name
from train_synthesis import draw


def recorded(a, effort, crops, index):
    """Reconstructions {n, 192, h, w} of u8 crops {n, side, side, 3} by the encoder's symbols at step indices."""
    at = lambda name: os.path.join(a.out, name)
    with open(at('crops'), 'wb') as f:
        for crop, i in zip(crops, index):
            np.array([a.crop, a.crop, i, 3], np.uint32).tofile(f)
            crop.tofile(f)
    command = [os.path.join(a.programs, 'record_symbols'), a.stream, at('crops'), at('symbols'), str(effort)]
    subprocess.run(command + ([a.synthesis] if a.synthesis else []), check=True, stdout=subprocess.DEVNULL)
    h, out = a.crop // 8, []
    with open(at('symbols'), 'rb') as f:
        for i in index:
            np.fromfile(f, np.int32, 4)
            coarse = np.fromfile(f, np.int16, 3 * (h // 4) ** 2 * 16).reshape(3, h // 4, h // 4, 4, 4)
            np.fromfile(f, np.int16, 3 * h * h)
            fine = np.fromfile(f, np.int8, 3 * h * h * 64).reshape(3, h, h, 8, 8)
            step = 2.0 ** (i / 32 - 1)
            # The recorder counts horizontal frequency first.
            rec = torch.from_numpy(fine.transpose(0, 4, 3, 1, 2).reshape(1, 192, h, h).astype(np.float32) * step)
            qc = torch.from_numpy(coarse.transpose(0, 4, 3, 1, 2).reshape(1, 3, 16, h // 4, h // 4).astype(np.float32))
            rec[:, L.DC] = T.coarse_inverse(qc * step)
            out.append(rec)
    return torch.cat(out)


def one_of(a, effort, crops, rng):
    """(features, targets in steps) of a batch."""
    rgb = crops.batch(a.batch)
    coef = T.coefficients(torch.as_tensor(rgb))
    step, net_step, layers, cond, offset = draw(a.batch, rng, 'cpu')
    if effort == 1:
        rec, _, _ = T.code(coef, step, layers, offset)
    else:
        # From step 8 on: the recorder limits symbols to 127.
        index = np.round(32 * (np.log2(step.numpy()) + 1)).clip(128, 351).astype(int)
        net_step = torch.tensor(2.0 ** (index / 32 - 1), dtype=torch.float32)
        cond = torch.tensor(np.stack([L.conditioning(i / 32 - 1, 8) for i in index]), dtype=torch.float32)
        rec = recorded(a, effort, rgb, index)
    return T.features(rec, net_step, cond), (coef - rec) / net_step.view(-1, 1, 1, 1)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--data'); p.add_argument('--from', dest='source'); p.add_argument('--teacher', metavar='FILE'); p.add_argument('--out', required=True)
    p.add_argument('--batches', type=int, default=1000); p.add_argument('--batch', type=int, default=12); p.add_argument('--crop', type=int, default=192)
    p.add_argument('--efforts', default='1'); p.add_argument('--programs'); p.add_argument('--stream'); p.add_argument('--synthesis')
    p.add_argument('--seed', type=int, default=1); p.add_argument('--threads', type=int, default=1); p.add_argument('--limit', type=int)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    efforts = [int(e) for e in a.efforts.split(',')]
    if bool(a.data) == bool(a.source):
        raise SystemExit('--data or --from: one of them')
    if max(efforts) > 1 and not (a.programs and a.stream):
        raise SystemExit('--efforts above 1 need --programs and --stream')
    teacher, start = GraphNetwork(a.teacher) if a.teacher else None, time.time()
    os.makedirs(a.out, exist_ok=True)
    old = {n: np.load(os.path.join(a.source, n + '.npy'), mmap_mode='r') for n in ('features', 'weights')} if a.source else None
    if old:
        a.batches, a.batch = old['weights'].shape
        a.crop = old['features'].shape[-1] * 8
    side = a.crop // 8
    shapes = {'features': ((a.batches, a.batch, 208, side, side), np.int8), 'weights': ((a.batches, a.batch), np.float32),
              'answers': ((a.batches, a.batch, 192, side, side), np.int8 if teacher else np.float16)}
    new = {n: np.lib.format.open_memmap(os.path.join(a.out, n + '.npy'), 'w+', dtype=t, shape=s) for n, (s, t) in shapes.items()}

    def answer(i, x, target=None):
        new['features'][i] = x.to(torch.int8).numpy()
        if teacher:
            y = teacher(x.contiguous(memory_format=torch.channels_last))
            new['answers'][i] = torch.round(y * OUT).clamp(-128, 127).to(torch.int8).numpy()
        else:
            new['answers'][i] = target.clamp(-6e4, 6e4).to(torch.float16).numpy()

    with torch.no_grad():
        if old:
            new['weights'][:] = old['weights']
            for i in range(a.batches):
                answer(i, torch.from_numpy(np.array(old['features'][i])).float())
        else:
            train, _ = swift_data.load(a.data, limit=a.limit)
            crops, rng = swift_data.Crops(train, a.crop, a.seed), np.random.default_rng(a.seed + 100)
            for i in range(a.batches):
                x, target = one_of(a, efforts[i % len(efforts)], crops, rng)
                # Flat crops have next to nothing to predict; the floor keeps them from ruling the mean.
                new['weights'][i] = 1 / target.square().sum((1, 2, 3)).clamp(min=0.003 * target[0].numel()).numpy()
                answer(i, x, target)
                if i % 50 == 0:
                    print(f'{i} of {a.batches}', flush=True)
    for m in new.values():
        m.flush()
    about = dict(command='train/make_cache.py ' + ' '.join(sys.argv[1:]), minutes=(time.time() - start) / 60, machine=machine_name('cpu', a.threads),
                 origin=E.model_id(a.teacher or a.synthesis) if a.teacher or a.synthesis else None)
    before = json.load(open(os.path.join(a.source, 'about.json'))) if a.source else []
    json.dump(before + [about], open(os.path.join(a.out, 'about.json'), 'w'))
    for name in ('crops', 'symbols'):
        if os.path.exists(os.path.join(a.out, name)):
            os.remove(os.path.join(a.out, name))


if __name__ == '__main__':
    main()
