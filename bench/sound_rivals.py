#!/usr/bin/env python3
"""Sound beside Opus at equal bytes: the table of docs/guide-sound.md.

    python3 bench/sound_rivals.py build/release/apps/godwit FOLDER [--json FILE]

FOLDER holds music_* at 44.1 or 48 kHz and speech_* at 16 kHz. Opus is libopus, through ctypes, variable rate, complexity 10, frames of 20 ms, its decoder's delay taken away;
its bytes are those of the packets alone. Ours are whole files, and at most as many. 44.1 kHz is resampled for Opus to 48 kHz and back by soxr. NumPy only.
"""
import argparse
import ctypes as C
import json
import pathlib
import subprocess
import tempfile

import numpy as np

import sound_metrics as metrics

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


def measure(x, y, rate, voice):
    row = {"si_sdr": metrics.si_sdr(x, y), "log_mel": metrics.log_mel_distance(x, y, rate),
           "psnr": metrics.psnr_walloc(x, y), "seg_snr": metrics.segmental_snr(x, y, rate)}
    if voice:
        row["stoi"] = metrics.stoi(*(resample(s, rate, 10000)[:, 0] for s in (x, y)))
    return row


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--music", default="24,48,64,66,96")
    parser.add_argument("--voice", default="6,12,24")
    parser.add_argument("--each", action="store_true", help="a row for every file")
    args = parser.parse_args()
    rows = []
    for kind, pattern, rates in (("music", "music_*", args.music), ("voice", "speech_*", args.voice)):
        for kbps in filter(None, rates.split(",")):
            means = []
            for path in sorted(args.folder.glob(pattern + ".flac")):
                x, rate = read(path)
                # The rate that is asked for is not what Opus makes of it: nearer with every try.
                wanted = asked = float(kbps)
                for _ in range(4):
                    size, z = opus(x, rate, asked, kind == "voice")
                    asked = min(max(asked * wanted / (size * 8e-3 * rate / len(x)), 0.5 * wanted), 2 * wanted)
                    if kind == "voice":
                        asked = max(asked, 5)
                own, y = godwit(args.program, str(path), size, kind)
                row = {"kind": kind, "kbps": wanted, "file": path.stem}
                for name, count, decoded in (("opus", size, z), ("godwit", own, y)):
                    row[name] = {"kbps": count * 8e-3 * rate / len(x), **measure(x, decoded, rate, kind == "voice")}
                rows.append(row)
                means.append(row)
                if args.each:
                    show(path.stem, [row])
            show(f"{kind} {kbps}", means)
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1))


def show(name, rows):
    for codec in ("godwit", "opus"):
        keys = rows[0][codec]
        print(f"{name:30} {codec:7}", " ".join(f"{k} {np.mean([r[codec][k] for r in rows]):7.3f}" for k in keys), flush=True)


if __name__ == "__main__":
    print(_opus.opus_get_version_string().decode())
    main()
