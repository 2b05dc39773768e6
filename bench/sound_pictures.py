#!/usr/bin/env python3
"""Spectrograms of an excerpt, as it was, by ours and by Opus at equal bytes: the pictures of docs/guide-sound.md.

    python3 bench/sound_pictures.py build/release/apps/godwit FILE KBPS music|voice OUT.png

Seconds 1 to 4, the mean of the channels, 0 Hz at the bottom; 90 dB from black to white. NumPy and Pillow.
"""
import ctypes as C
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image, ImageDraw

_sndfile, _soxr, _opus = (C.CDLL(f"lib{name}") for name in ("sndfile.so.1", "soxr.so.0", "opus.so.0"))


class _Info(C.Structure):
    _fields_ = [("frames", C.c_int64)] + [(n, C.c_int) for n in ("rate", "channels", "format", "sections", "seekable")]


class _Quality(C.Structure):
    _fields_ = [("n%d" % i, C.c_double) for i in range(4)] + [("e", C.c_void_p), ("flags", C.c_ulong)]


_sndfile.sf_open.restype = C.c_void_p
_soxr.soxr_quality_spec.restype = _Quality
_soxr.soxr_quality_spec.argtypes = [C.c_ulong, C.c_ulong]
_soxr.soxr_oneshot.restype = C.c_void_p
_soxr.soxr_oneshot.argtypes = [C.c_double, C.c_double, C.c_uint, C.c_void_p, C.c_size_t, C.c_void_p, C.c_void_p, C.c_size_t,
                               C.c_void_p, C.c_void_p, C.c_void_p, C.c_void_p]
_opus.opus_encoder_create.restype = _opus.opus_decoder_create.restype = C.c_void_p
_opus.opus_get_version_string.restype = C.c_char_p


def read(path):
    info = _Info()
    f = _sndfile.sf_open(str(path).encode(), 0x10, C.byref(info))
    if not f:
        raise SystemExit(f"{path}: cannot be read")
    x = np.zeros((info.frames, info.channels), np.float32)
    _sndfile.sf_readf_float(C.c_void_p(f), x.ctypes.data_as(C.c_void_p), C.c_int64(info.frames))
    _sndfile.sf_close(C.c_void_p(f))
    return x.astype(np.float64), info.rate


def resample(x, old, new):
    if old == new:
        return x
    x = np.ascontiguousarray(x, np.float32)
    n = round(len(x) * new / old)
    y = np.zeros((n + 64, x.shape[1]), np.float32)
    quality, taken, made = _soxr.soxr_quality_spec(6, 0), C.c_size_t(), C.c_size_t()
    if _soxr.soxr_oneshot(old, new, x.shape[1], x.ctypes.data, len(x), C.addressof(taken), y.ctypes.data, n + 64,
                          C.addressof(made), None, C.addressof(quality), None):
        raise SystemExit("soxr failed")
    return y[:n].astype(np.float64)


def opus(x, rate, kbps, voice):
    inner = rate if rate in (8000, 12000, 16000, 24000, 48000) else 48000
    y, channels, error = resample(x, rate, inner), x.shape[1], C.c_int()
    encoder = C.c_void_p(_opus.opus_encoder_create(inner, channels, 2048 if voice else 2049, C.byref(error)))
    decoder = C.c_void_p(_opus.opus_decoder_create(inner, channels, C.byref(error)))
    _opus.opus_encoder_ctl(encoder, 4002, C.c_int(round(kbps * 1000)))
    _opus.opus_encoder_ctl(encoder, 4010, C.c_int(10))
    delay = C.c_int()
    _opus.opus_encoder_ctl(encoder, 4027, C.byref(delay))
    frame, total, out, packet = inner // 50, 0, [], (C.c_ubyte * 4000)()
    padded = np.zeros((-(-(len(y) + delay.value) // frame) * frame, channels), np.float32)
    padded[:len(y)] = y
    for i in range(0, len(padded), frame):
        block, decoded = np.ascontiguousarray(padded[i:i + frame]), np.zeros((frame, channels), np.float32)
        size = _opus.opus_encode_float(encoder, C.c_void_p(block.ctypes.data), frame, packet, 4000)
        if size < 0 or _opus.opus_decode_float(decoder, packet, size, C.c_void_p(decoded.ctypes.data), frame, 0) != frame:
            raise SystemExit("opus failed")
        total += size
        out.append(decoded)
    _opus.opus_encoder_destroy(encoder)
    _opus.opus_decoder_destroy(decoder)
    z = resample(np.concatenate(out)[delay.value:delay.value + len(y)].astype(np.float64), inner, rate)
    return total, np.pad(z[:len(x)], ((0, max(0, len(x) - len(z))), (0, 0)))


def godwit(program, path, most, codec):
    with tempfile.TemporaryDirectory() as folder:
        coded, wav = f"{folder}/a.gdw", f"{folder}/a.wav"
        subprocess.run([program, "encode", "--quiet", "--strip", path, coded, "--codec", codec, "--size", str(most)], check=True)
        subprocess.run([program, "decode", "--quiet", coded, wav], check=True)
        return pathlib.Path(coded).stat().st_size, read(wav)[0]



def spectrogram(x, rate):
    size, hop = (2048, 256) if rate > 32000 else (512, 96)
    x = x.mean(1)[rate:4 * rate]
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    frames = np.lib.stride_tricks.sliding_window_view(x, size)[::hop]
    power = np.abs(np.fft.rfft(frames * window)) ** 2 / (window @ window) * 2
    rows = power.T[::-1]
    fold = max(1, rows.shape[0] // 256)  # four bins to a row of music
    rows = rows[-(rows.shape[0] // fold * fold):].reshape(-1, fold, rows.shape[1]).mean(1)
    level = np.clip((10 * np.log10(rows + 1e-12) + 80) / 90, 0, 1)
    return Image.fromarray((level * 23 + 0.5).astype(np.uint8) * 11)


def main():
    program, path, kbps, kind, out = sys.argv[1:]
    x, rate = read(path)
    size, theirs = opus(x, rate, float(kbps), kind == "voice")
    _, ours = godwit(program, path, size, kind)
    pictures = [(name, spectrogram(s, rate)) for name, s in (("original", x), ("godwit", ours), ("opus", theirs))]
    width, height = pictures[0][1].size
    page = Image.new("L", (width, 3 * (height + 14)), 255)
    draw = ImageDraw.Draw(page)
    for i, (name, picture) in enumerate(pictures):
        rate_name = "" if name == "original" else f", {size * 8e-3 * rate / len(x):.1f} kb/s"
        draw.text((2, i * (height + 14) + 1), f"{name}{rate_name}, 0 to {rate // 2} Hz", fill=0)
        page.paste(picture, (0, i * (height + 14) + 14))
    page.quantize(32).save(out, optimize=True)


if __name__ == "__main__":
    main()
