#!/usr/bin/env python3
"""What lost packets cost: encodes PNGs as a sensor would, cuts them into packets, drops some of
them at random with fixed seeds, decodes the rest with --conceal and prints a table.

    python3 bench/packet_loss.py build/release/apps/godwit FOLDER [--loss 0.05] [--bpp 0.25]

Fails where a loss is not named, or a row is named that lost nothing. Needs nothing but Python.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile


def run(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {done.stderr}")
    return done.stdout


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def packets(data):
    """(row of tiles, bytes) of each packet; docs/format/transport.md."""
    at = 0
    while at < len(data):
        assert data[at:at + 2] == b'GP'
        _, end = varint(data, at + 5)
        row, end = varint(data, end)
        _, end = varint(data, end)
        length, end = varint(data, end)
        if data[at + 2] & 16:
            end += 1 + data[end]
        end += length + 4
        yield row, data[at:end]
        at = end


def measure(a, folder, size, pictures):
    sent = dropped = rows = lost = short = payload = total = failed = 0
    whole, concealed = [], []
    for name, picture, file, reference in pictures:
        stream, part, out = folder / 'a.gdp', folder / 'b.gdp', folder / 'b.ppm'
        run(a.godwit, 'repack', file, stream, '--packets', size, '-f', '--quiet')
        cut = list(packets(stream.read_bytes()))
        payload += file.stat().st_size
        total += stream.stat().st_size
        for seed in range(a.seeds):
            chance = random.Random(f'{seed} {name} {size}')
            kept = [chance.random() >= a.loss for _ in cut]
            wanted = sorted({row for (row, _), there in zip(cut, kept) if not there})
            part.write_bytes(b''.join(p for (_, p), there in zip(cut, kept) if there))
            sent += len(cut)
            dropped += kept.count(False)
            rows += cut[-1][0] + 1
            command = [a.godwit, 'decode', part, out, '-f', '--quiet', '--json', '--conceal',
                       '--synthesis', a.synthesis]
            done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
            if done.returncode != 0:
                failed += 1
                print(f'{name}, seed {seed}: {done.stderr.strip()}', file=sys.stderr)
                continue
            said = json.loads(done.stdout)
            if sorted(said['lost_rows'] + said['short_rows']) != wanted:
                sys.exit(f'{name}, seed {seed}: {wanted} lost something, not {said}')
            lost += len(said['lost_rows'])
            short += len(said['short_rows'])
            whole.append(reference)
            concealed.append(json.loads(run(a.godwit, 'compare', picture, out, '--json'))['psnr_db'])
    mean = lambda v: sum(v) / max(1, len(v))
    runs = a.seeds * len(pictures)
    print(f'| {size} | {sent / runs:.0f} | {100 * (total / payload - 1):.1f} % | '
          f'{100 * dropped / sent:.1f} % | {100 * lost / rows:.1f} % | {100 * short / rows:.1f} % | '
          f'{mean(whole):.2f} | {mean(concealed):.2f} | {min(concealed):.2f} | {failed} |', flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('godwit', type=pathlib.Path)
    parser.add_argument('folder', type=pathlib.Path)
    parser.add_argument('--loss', type=float, default=0.05)
    parser.add_argument('--bpp', type=float, default=0.25)
    parser.add_argument('--sizes', default='64,128,244,512,1200')
    parser.add_argument('--tile-height', type=int, default=64)
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--synthesis', default='medium')
    a = parser.parse_args()
    pictures = []
    with tempfile.TemporaryDirectory() as work:
        folder = pathlib.Path(work)
        for path in sorted(a.folder.glob('*.png')):
            file, out = folder / (path.stem + '.gdw'), folder / 'whole.ppm'
            width = int.from_bytes(path.read_bytes()[16:20], 'big')
            tile = max(32, 1 << (width - 1).bit_length())
            run(a.godwit, 'encode', path, file, '-f', '--quiet', '--order', 'rows', '--bpp', a.bpp,
                '--tile', f'{tile}x{a.tile_height}')
            run(a.godwit, 'decode', file, out, '-f', '--quiet', '--synthesis', a.synthesis)
            psnr = json.loads(run(a.godwit, 'compare', path, out, '--json'))['psnr_db']
            pictures.append((path.stem, path, file, psnr))
        if not pictures:
            sys.exit(f'{a.folder}: no *.png')
        print('| packet, bytes | packets a picture | overhead | lost | rows lost | rows short | '
              'PSNR, nothing lost | with losses | worst | no picture |')
        print('|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|')
        for size in a.sizes.split(','):
            measure(a, folder, int(size), pictures)


if __name__ == '__main__':
    main()
