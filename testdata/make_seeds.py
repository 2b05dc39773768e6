#!/usr/bin/env python3
"""Writes the seeds of the fuzz targets png, jpeg, webp, pnm, exif, npy, nifti and ogg into testdata/fuzz. Needs Pillow only.

    /usr/bin/python3 testdata/make_seeds.py

The seeds of the other targets are written by tests/codecs/make_goldens.cc.
"""
import gzip
import io
import os
import struct

from PIL import Image

FUZZ = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'fuzz')


def picture(mode, width, height):
    """Slopes and a checked texture, from integers alone."""
    bands = {'1': 1, 'L': 1, 'LA': 2, 'RGB': 3, 'RGBA': 4, 'P': 1}[mode]
    data = bytes((7 * x + 5 * y + 60 * b + 30 * ((x // 2 + y // 2) % 2)) % 256
                 for y in range(height) for x in range(width) for b in range(bands))
    if mode == '1':
        return Image.frombytes('L', (width, height), data).convert('1')
    return Image.frombytes(mode, (width, height), data)


def exif(orientation, order='<'):
    """A TIFF header and one directory with one entry: the orientation."""
    mark = b'II' if order == '<' else b'MM'
    value = struct.pack(order + 'HHIHH', 0x112, 3, 1, orientation, 0)
    return mark + struct.pack(order + 'HI', 42, 8) + struct.pack(order + 'H', 1) + value + bytes(4)


def write(target, name, data):
    assert len(data) < 2048, (target, name, len(data))
    os.makedirs(os.path.join(FUZZ, target), exist_ok=True)
    with open(os.path.join(FUZZ, target, name), 'wb') as f:
        f.write(data)


def save(target, name, image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    write(target, name, out.getvalue())


def ogg_page(packets, granule, number, flags):
    """One page, all of whose packets end on it; flags: 2 the first, 4 the last."""
    lacing = b''.join(b'\xff' * (len(p) // 255) + bytes([len(p) % 255]) for p in packets)
    page = (struct.pack('<4sBBqIIIB', b'OggS', 0, flags, granule, 1, number, 0, len(lacing)) +
            lacing + b''.join(packets))
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ (0x04c11db7 if crc >> 31 else 0)) & 0xffffffff
    return page[:22] + struct.pack('<I', crc) + page[26:]


def ogg():
    head = struct.pack('<8sBBHIHB', b'OpusHead', 1, 1, 312, 48000, 0, 0)
    silence = b'\xf8\xff\xfe'  # a frame of Opus, 20 ms
    opus = (ogg_page([head], 0, 0, 2) + ogg_page([b'OpusTags' + bytes(8)], 0, 1, 0) +
            ogg_page([silence, silence], 960 + 312, 2, 4))
    write('ogg', 'opus', opus)
    write('ogg', 'cut', opus[:-2])
    write('ogg', 'long_packets', ogg_page([bytes(255), bytes(600), b''], 7, 0, 2 | 4))


def netpbm(kind, width, height, top, samples):
    return f'{kind}\n# a comment\n{width} {height}\n{top}\n'.encode() + samples


def arrays():
    samples = bytes(v * 11 % 256 for v in range(600))
    for descr, fortran, shape, count in (('|u1', False, '(7,)', 7), ('<i2', True, '(3, 4)', 24),
                                         ('>f4', False, '(2, 2, 3)', 48), ('<f8', True, '(1, 2, 1, 3)', 48)):
        text = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}"
        text += ' ' * (63 - (10 + len(text)) % 64) + '\n'
        head = b'\x93NUMPY\1\0' + struct.pack('<H', len(text)) + text.encode()
        write('npy', f'{descr[1:]}_{"fortran" if fortran else "c"}.npy', head + samples[:count])
    for order, name in (('<', 'little'), ('>', 'big')):
        head = struct.pack(order + 'i36x8h14xhh32x', 348, 3, 4, 3, 2, 1, 1, 1, 1, 4, 16)
        head = head.ljust(108, b'\0') + struct.pack(order + 'f', 352)
        volume = head + bytes(344 - len(head)) + b'n+1\0' + bytes(4) + samples[:48]
        write('nifti', f'{name}.nii', volume)
        write('nifti', f'{name}.nii.gz', gzip.compress(volume, mtime=0))


def main():
    for mode in ('1', 'L', 'LA', 'RGB', 'RGBA'):
        save('png', f'{mode.lower()}.png', picture(mode, 11, 7), 'PNG')
    palette = picture('P', 9, 9)
    palette.putpalette([v % 256 for v in range(0, 768 * 5, 5)])
    save('png', 'palette.png', palette, 'PNG', transparency=3)
    grey16 = Image.frombytes('I;16', (5, 6), bytes(v * 3 % 256 for v in range(60)))
    save('png', 'l16.png', grey16, 'PNG')
    save('png', 'tags.png', picture('RGB', 4, 4), 'PNG', exif=exif(6), icc_profile=b'not a profile')

    for mode, sampling in (('L', 0), ('RGB', 0), ('RGB', 2)):
        save('jpeg', f'{mode.lower()}_{sampling}.jpg', picture(mode, 17, 19), 'JPEG',
             quality=60, subsampling=sampling)
    save('jpeg', 'progressive.jpg', picture('RGB', 20, 9), 'JPEG', progressive=True, quality=70)
    save('jpeg', 'turned.jpg', picture('RGB', 9, 20), 'JPEG', exif=b'Exif\0\0' + exif(8, '>'))

    save('webp', 'lossy.webp', picture('RGB', 17, 13), 'WEBP', quality=50)
    save('webp', 'lossy_alpha.webp', picture('RGBA', 13, 17), 'WEBP', quality=50)
    save('webp', 'lossless.webp', picture('RGBA', 9, 9), 'WEBP', lossless=True)
    save('webp', 'tags.webp', picture('RGB', 4, 4), 'WEBP', exif=b'Exif\0\0' + exif(3),
         icc_profile=b'not a profile')

    samples = bytes(v * 11 % 256 for v in range(600))
    text = ' '.join(str(v % 256) for v in range(0, 48 * 9, 9)).encode()
    write('pnm', 'p1.pbm', b'P1\n5 3\n1 0 1 0 1\n01010\n1 1 1 0 0\n')
    write('pnm', 'p2.pgm', netpbm('P2', 6, 8, 255, text))
    write('pnm', 'p3.ppm', netpbm('P3', 4, 4, 255, text))
    write('pnm', 'p4.pbm', b'P4\n11 3\n' + samples[:6])
    write('pnm', 'p5.pgm', netpbm('P5', 7, 5, 255, samples[:35]))
    write('pnm', 'p5_odd_top.pgm', netpbm('P5', 7, 5, 100, bytes(v % 101 for v in samples[:35])))
    write('pnm', 'p6.ppm', netpbm('P6', 7, 5, 255, samples[:105]))
    write('pnm', 'p6_16.ppm', netpbm('P6', 3, 4, 65535, samples[:72]))
    for depth, kind in ((1, 'GRAYSCALE'), (2, 'GRAYSCALE_ALPHA'), (3, 'RGB'), (4, 'RGB_ALPHA')):
        head = f'P7\nWIDTH 5\nHEIGHT 4\nDEPTH {depth}\nMAXVAL 255\nTUPLTYPE {kind}\nENDHDR\n'
        write('pnm', f'p7_{depth}.pam', head.encode() + samples[:20 * depth])

    for orientation in (1, 6):
        for order, name in (('<', 'little'), ('>', 'big')):
            write('exif', f'{name}_{orientation}', exif(orientation, order))
    arrays()
    ogg()


if __name__ == '__main__':
    main()
