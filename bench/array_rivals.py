#!/usr/bin/env python3
"""Bytes of arrays beside zfp, zstd, FLAC and JPEG 2000; prints a Markdown table.

`godwit eval` has lossless and bounded rows, through the libraries; this has what it lacks, low rates and JPEG 2000 at an equal PSNR,
and is a check on it that runs the rivals' own programs. (flac's program adds 8 KiB of padding to each file.)

    bench/array_rivals.py FILE... [--godwit build/release/apps/godwit] [--quick | --low]

FILE is .npy, .nii, .nii.gz or .wav (16 bit). Needs NumPy and, for each rival that is wanted, its program: zfp, zstd, flac,
opj_compress and opj_decompress (Debian: zfp zstd flac libopenjp2-tools). Every decoded sample is checked: ours against the
error asked for, JPEG 2000 for its PSNR.

Lossless: zstd -19 over byte planes of samples that lie channel by channel; flac -8 -e -p on groups of up to 8 channels of 16
bits; JPEG 2000 (reversible 5/3) band by band, pictures and volumes only; zfp -R. An error: zfp -a, as the whole array and as
one array for each channel, whichever is smaller. A PSNR: that of ours at each error; JPEG 2000 (9/7) band by band at the quality that reaches it.

--low: low rates. JPEG 2000 band by band at three qualities; ours (--size, --method wavelet, --model none) and zfp (-r) at its bytes.
"""
import argparse
import gzip
import os
import shutil
import subprocess
import tempfile
import wave

import numpy as np


def load(path):
    if path.endswith('.npy'):
        return np.load(path)
    if path.endswith('.wav'):
        with wave.open(path) as f:
            assert f.getsampwidth() == 2
            return np.frombuffer(f.readframes(f.getnframes()), '<i2').reshape(-1, f.getnchannels())
    data = (gzip.open if path.endswith('.gz') else open)(path, 'rb').read()
    dims = np.frombuffer(data[40:56], '<i2')
    kind = {2: 'u1', 4: '<i2', 16: '<f4', 512: '<u2'}[int(np.frombuffer(data[70:72], '<i2')[0])]
    offset = int(np.frombuffer(data[108:112], '<f4')[0])
    return np.frombuffer(data[offset:], kind)[:np.prod(dims[1:1 + dims[0]])].reshape(dims[dims[0]:0:-1])


def run(*args):
    return subprocess.run([str(a) for a in args], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Rivals:
    def __init__(self, array, folder):
        self.a, self.folder = array, folder
        self.is_table = array.ndim == 2 and array.shape[1] * 8 <= array.shape[0]  # (time, channel)
        self.by_channel = np.ascontiguousarray(array.T) if self.is_table else array

    def path(self, name):
        return os.path.join(self.folder, name)

    def size(self, name):
        return os.path.getsize(self.path(name))

    def zstd(self):
        planes = self.by_channel.reshape(-1).view('u1').reshape(self.a.size, -1).T
        np.ascontiguousarray(planes).tofile(self.path('z'))
        run('zstd', '-q', '-f', '-19', self.path('z'), '-o', self.path('z.zst'))
        return self.size('z.zst')

    def flac(self):
        if self.a.dtype != np.int16 or not self.is_table:
            return None
        total = 0
        for c in range(0, self.a.shape[1], 8):
            part = np.ascontiguousarray(self.a[:, c:c + 8])
            part.tofile(self.path('f'))
            run('flac', '-s', '-f', '-8', '-e', '-p', '--force-raw-format', '--endian=little', '--sign=signed',
                f'--channels={part.shape[1]}', '--bps=16', '--sample-rate=48000', self.path('f'), '-o', self.path('f.flac'))
            total += self.size('f.flac')
        return total

    def zfp(self, *mode):
        """As the whole array, or each channel as an array of its own."""
        best = None
        kind, flag = ('f4', '-f') if self.a.dtype == np.float32 else ('i4', '-t i32') if mode[0] == '-R' else ('f8', '-d')
        for parts in [[self.by_channel]] + ([list(self.by_channel)] if self.is_table else []):
            total = 0
            for part in parts:
                part.astype(kind).tofile(self.path('p'))
                run('zfp', *flag.split(), f'-{part.ndim}', *part.shape[::-1], '-i', self.path('p'), '-z', self.path('p.zfp'), *mode)
                total += self.size('p.zfp')
            best = total if best is None else min(best, total)
        return best

    def jpeg2000_at(self, quality, peak):
        """Bytes and PSNR at a quality of each band; without one, lossless."""
        bits = max(8, int(self.a.max()).bit_length())
        total, error = 0, 0.0
        for band in self.a:
            head = f'P5\n{band.shape[1]} {band.shape[0]}\n{(1 << bits) - 1}\n'.encode()
            raw = band.astype('>u2' if bits > 8 else 'u1').tobytes()
            with open(self.path('j.pgm'), 'wb') as f:
                f.write(head + raw)
            run('opj_compress', '-i', self.path('j.pgm'), '-o', self.path('j.j2k'),
                *(['-I', '-q', f'{quality:.3f}'] if quality else []))
            total += self.size('j.j2k')
            if quality:
                run('opj_decompress', '-i', self.path('j.j2k'), '-o', self.path('k.pgm'))
                data = open(self.path('k.pgm'), 'rb').read()
                out = np.frombuffer(data[-len(raw):], '>u2' if bits > 8 else 'u1').reshape(band.shape)
                error += ((out.astype(float) - band) ** 2).sum()
        return total, 10 * np.log10(peak ** 2 / (error / self.a.size)) if quality else 0

    def zfp_rate(self, bits):
        """Fixed rate; the least that zfp has may be more."""
        self.a.astype('f8').tofile(self.path('p'))
        shape = ['-d', f'-{self.a.ndim}', *self.a.shape[::-1]]
        run('zfp', *shape, '-i', self.path('p'), '-z', self.path('p.zfp'), '-r', bits)
        run('zfp', *shape, '-z', self.path('p.zfp'), '-o', self.path('q'), '-r', bits)
        return self.size('p.zfp'), np.fromfile(self.path('q'), 'f8').reshape(self.a.shape)

    def jpeg2000(self, psnr_db=None, peak=None):
        """Band by band; lossless, or at a quality that reaches the PSNR of the whole: found by bisection."""
        if self.a.ndim != 3 or self.a.dtype not in (np.uint8, np.uint16):
            return None
        at = lambda quality: self.jpeg2000_at(quality, peak)
        if psnr_db is None:
            return at(None)[0]
        low, high, best = 10.0, 100.0, None
        for _ in range(6):
            middle = (low + high) / 2
            total, reached = at(middle)
            if reached >= psnr_db:
                high, best = middle, total
            else:
                low = middle
        return best


class Ours:
    def __init__(self, godwit, array, folder):
        self.godwit, self.a = godwit, array
        self.npy, self.gdw, self.out = (os.path.join(folder, n) for n in ('a.npy', 'a.gdw', 'b.npy'))
        np.save(self.npy, array)

    def at(self, *options):
        run(self.godwit, 'encode', '-f', '--quiet', self.npy, self.gdw, *options)
        run(self.godwit, 'decode', '-f', '--quiet', self.gdw, self.out)
        return os.path.getsize(self.gdw), np.load(self.out)


def decibels(array, back, peak):
    return 10 * np.log10(peak ** 2 / max(((back.astype(float) - array) ** 2).mean(), 1e-30))


def low_rates(name, array, ours, rivals):
    """Rows at three qualities of JPEG 2000: its bytes, and what the others make of as many."""
    peak = float(array.max()) - float(array.min())
    for quality in (30, 36, 44):
        total, psnr_db = rivals.jpeg2000_at(quality, peak)
        size, back = ours.at('--size', total, '--method', 'wavelet', '--model', 'none')
        zfp_size, zfp_back = rivals.zfp_rate(8 * total / array.size)
        print(f'| {name} | {total} | {8 * total / array.size:.3f} | {psnr_db:.2f} | {size} | {decibels(array, back, peak):.2f} | '
              f'{zfp_size} | {decibels(array, zfp_back, peak):.2f} |', flush=True)
        smaller, _ = ours.at('--psnr', f'{psnr_db:.3f}', '--method', 'wavelet', '--model', 'none')
        print(f'| | | | | {smaller} at its PSNR ({smaller / total:.2f}) | | | |', flush=True)


def cell(rival, ours):
    return '-' if rival is None else f'{rival} ({ours / rival:.2f})'


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('files', nargs='+')
    parser.add_argument('--godwit', default='build/release/apps/godwit')
    parser.add_argument('--quick', action='store_true', help='no JPEG 2000 at a PSNR')
    parser.add_argument('--low', action='store_true', help='low rates, of pictures and volumes')
    args = parser.parse_args()
    have = {name: shutil.which(name) for name in ('zfp', 'zstd', 'flac', 'opj_compress')}
    if args.low:
        print('| array | bytes of JPEG 2000 | bit/sample | dB | godwit bytes | dB | zfp bytes | dB |\n|---|--:|--:|--:|--:|--:|--:|--:|')
        for path in args.files:
            array, name = load(path), '_'.join(os.path.basename(path).split('_')[:2])
            with tempfile.TemporaryDirectory() as folder:
                low_rates(name, array, Ours(args.godwit, array, folder), Rivals(array, folder))
        return
    print('| array | target | godwit | zfp | zstd | FLAC | JPEG 2000 |\n|---|---|--:|--:|--:|--:|--:|')
    for path in args.files:
        array = load(path)
        name = os.path.basename(path).split('_')
        with tempfile.TemporaryDirectory() as folder:
            ours, rivals = Ours(args.godwit, array, folder), Rivals(array, folder)
            size, back = ours.at('--lossless')
            assert back.tobytes() == np.ascontiguousarray(array).tobytes()
            row = [cell(rivals.zfp('-R') if have['zfp'] else None, size),
                   cell(rivals.zstd() if have['zstd'] else None, size),
                   cell(rivals.flac() if have['flac'] else None, size),
                   cell(rivals.jpeg2000() if have['opj_compress'] else None, size)]
            print(f'| {"_".join(name[:2])} | lossless | {size} | ' + ' | '.join(row) + ' |', flush=True)
            width = float(array.max()) - float(array.min())
            errors = [width * relative for relative in (1e-4, 1e-3, 1e-2)]
            if array.dtype.kind in 'iu':
                errors = sorted({max(1, round(error)) for error in errors})
            for error in errors:
                size, back = ours.at('--max-error', repr(error))
                difference = np.abs(back.astype(float) - array)
                assert difference.max() <= error
                psnr_db = 10 * np.log10(width ** 2 / (difference ** 2).mean())
                row = [cell(rivals.zfp('-a', error) if have['zfp'] else None, size), '-', '-',
                       cell(None if args.quick or not have['opj_compress'] else rivals.jpeg2000(psnr_db, width), size)]
                print(f'| | error {error:.4g}, {psnr_db:.1f} dB | {size} | ' + ' | '.join(row) + ' |', flush=True)


if __name__ == '__main__':
    main()
