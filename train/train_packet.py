#!/usr/bin/python3
"""A model for arrays of one kind, from a folder of .npy files.

    train_packet.py CONFIG.toml --data FOLDER --out FILE.safetensors [--also FOLDER [--also-pieces 10]] [--program build/release/train/fit_array_start]

Fits the starting probabilities and mixer weights of the wavelet method (docs/format/array.md section 9) to one part of every
array and reports what they save on the other, which is never fitted to, and on all of the arrays of `--also`: recordings of another
kind or sensor. Writes FILE and, beside it, its card (.md). CONFIG.toml:

    name = "motion"                      # of the model
    version = "1"
    description = "IMU: acceleration, turning, magnetic field"
    channel_axes = [1]                   # axes that hold channels; [] for none
    steps = [0.0005, 0.002, 0.01]        # of the quantiser, in parts of an array's range
    holdout_axis = 0                     # along which the last part of each array is held out,
    holdout = 0.5                        # of this share
    pieces = 4                           # the fitted part is cut into so many arrays along that axis,
    held_pieces = 20                     # the held-out one into so many, each coded alone: what starts save is much of a short one
    source = "where the data are from"   # for the card, with the licence and the credits that it asks for
    licence = "CC BY 4.0"
"""
import argparse
import datetime
import os
import subprocess
import tempfile
import time

import numpy as np

import export_swift as E
from model_config import read_config
from synthesis_run import machine_name

KEYS = {'name': str, 'version': str, 'description': str, 'channel_axes': list, 'steps': list, 'holdout_axis': int,
        'holdout': float, 'pieces': int, 'held_pieces': int, 'source': str, 'licence': str}


def checked_config(path):
    config = read_config(path, KEYS)
    if not 0 < config['holdout'] < 1 or not config['steps'] or min(config['pieces'], config['held_pieces']) < 1:
        raise SystemExit(f'{path}: holdout is between 0 and 1, steps are some, pieces are 1 or more')
    return config


def load(folder):
    paths = sorted(os.path.join(folder, n) for n in os.listdir(folder) if n.endswith('.npy'))
    if not paths:
        raise SystemExit(f'{folder}: no .npy files')
    return [(os.path.basename(p), np.load(p)) for p in paths]


def cut_up(name, array, pieces, axis):
    return [(name, part) for part in np.array_split(array, pieces, axis) if part.size]


def write_jobs(path, folder, arrays, config, ranges):
    mask = sum(1 << a for a in config['channel_axes'])
    with open(path, 'w') as f:
        for i, (name, array) in enumerate(arrays):
            file = os.path.join(folder, f'{os.path.basename(path)}{i}.npy')
            np.save(file, np.ascontiguousarray(array))
            for step in config['steps']:
                f.write(f'{step * ranges[name]!r} {mask} {file}\n')


def table(arrays, config, ranges, lines):
    rows, total, sums = [], [0, 0], {}
    for i, (samples, plain, model, error, model_error) in enumerate(lines):
        key = (arrays[i // len(config['steps'])][0], config['steps'][i % len(config['steps'])])
        sums[key] = sums.get(key, 0) + np.array([samples, plain, model, samples * error, samples * model_error])
    for (name, step), (samples, plain, model, *errors) in sums.items():
        db = [10 * np.log10(ranges[name] ** 2 / max(e / samples, 1e-300)) for e in errors]
        total[0] += plain
        total[1] += model
        rows.append(f'| {name} | {step:g} | {8 * plain / samples:.3f} | {int(plain)} | {int(model)} | '
                    f'{100 * (model / plain - 1):+.2f} % | {db[0]:.2f} | {db[1]:.2f} |')
    head = ('| array | step | bit/sample | bytes without | bytes with | | dB without | dB with |\n'
            '|---|--:|--:|--:|--:|--:|--:|--:|')
    return '\n'.join([head] + rows), 100 * (total[1] / total[0] - 1)


def also_text(config, results, saved, pieces):
    return f"""
Arrays that nothing was fitted to, in {pieces} pieces along axis {config['holdout_axis']}. All in all {saved:+.2f} % bytes.

{results}
"""


def write_card(path, model, config, results, saved, arrays, command, seconds, also=''):
    data = '\n'.join(f'- {name}: {array.dtype}, {"x".join(map(str, array.shape))}' for name, array in arrays)
    share = config['holdout']
    with open(path, 'w') as f:
        f.write(f"""# {config['name']}-{config['version']}

{config['description']}. Starting probabilities and mixer weights of the wavelet method of arrays (`docs/format/array.md` section 9).

| | |
|---|---|
| file | `{os.path.basename(model)}`, {os.path.getsize(model):,} bytes |
| id | `{E.model_id(model)}` |
| transform | CDF 9/7; a mix of channels is fitted to each tile, none is trained |
| encoder | 6.9 multiply-adds a sample of three axes, 4 of one; a mix adds one for each component |

## How it was made

```sh
{command}
```

{seconds:.0f} seconds, fitting and measuring, {machine_name('cpu', os.cpu_count())}; {datetime.date.today().isoformat()}.

## Data

{config['source']}. Licence: {config['licence']}.

{data}

The last {share:g} of axis {config['holdout_axis']} of each array is held out; the rest, in {config['pieces']} pieces, was fitted to. Both parts are of the
same recording, so that another instrument or subject may gain less.

## Results

The held-out parts, in {config['held_pieces']} pieces coded alone, without and with the model; steps in parts of the range of the whole array. All in all {saved:+.2f} % bytes.

{results}
{also}
## Licence

Apache-2.0, as the rest of Godwit; the data's as above.
""")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('config')
    p.add_argument('--data', required=True)
    p.add_argument('--out', required=True)
    p.add_argument('--also', help='a folder of arrays to measure on, whole')
    p.add_argument('--also-pieces', type=int, default=10)
    p.add_argument('--program', default='build/release/train/fit_array_start')
    args = p.parse_args()
    start = time.monotonic()
    config, arrays = checked_config(args.config), load(args.data)
    axis = config['holdout_axis']
    ranges = {n: float(np.nanmax(a[np.isfinite(a)]) - np.nanmin(a[np.isfinite(a)])) or 1.0 for n, a in arrays}
    others = load(args.also) if args.also else []
    for name, a in others:
        ranges[name] = float(np.nanmax(a[np.isfinite(a)]) - np.nanmin(a[np.isfinite(a)])) or 1.0
    fitted, held = [], []
    also = [part for name, a in others for part in cut_up(name, a, args.also_pieces, axis)]
    for name, a in arrays:
        cut = int(round(a.shape[axis] * (1 - config['holdout'])))
        fitted += cut_up(name, a.take(range(cut), axis), config['pieces'], axis)
        held += cut_up(name, a.take(range(cut, a.shape[axis]), axis), config['held_pieces'], axis)
    with tempfile.TemporaryDirectory() as folder:
        jobs = [os.path.join(folder, n) for n in ('fit', 'held', 'also')]
        write_jobs(jobs[0], folder, fitted, config, ranges)
        write_jobs(jobs[1], folder, held, config, ranges)
        write_jobs(jobs[2], folder, also, config, ranges)
        subprocess.run([args.program, 'fit', jobs[0], args.out, config['name'], config['version'], config['description']], check=True)
        def measured(path, parts):
            out = subprocess.run([args.program, 'measure', path, args.out], check=True, stdout=subprocess.PIPE, text=True).stdout
            return table(parts, config, ranges, [list(map(float, line.split())) for line in out.splitlines()])
        results, saved = measured(jobs[1], held)
        more = also_text(config, *measured(jobs[2], also), args.also_pieces) if also else ''
    command = f'train/train_packet.py {args.config} --data FOLDER --out {args.out}' + (' --also FOLDER' if also else '')
    write_card(os.path.splitext(args.out)[0] + '.md', args.out, config, results, saved, arrays, command, time.monotonic() - start, more)
    print(results)
    print(more)
    print(f'all in all {saved:+.2f} %; {args.out}, id {E.model_id(args.out)}')


if __name__ == '__main__':
    main()
