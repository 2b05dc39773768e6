#!/usr/bin/env python3
"""testdata/eval/sound_reference.json: what another implementation, sound_metrics.py, says of sounds that sound_metrics_test.cc makes again.

    python3 tests/eval/make_sound_reference.py > testdata/eval/sound_reference.json
"""
import json

import numpy as np

import sound_metrics as metrics


def sounds(rate, channels, seconds):
    """The original and three that are worse; integers, so that C++ makes the same."""
    state, level = 1, [0] * channels
    rows = {"original": [], "noise": [], "coarse": [], "scaled": []}
    for i in range(rate * seconds):
        for c in range(channels):
            state = (state * 1664525 + 1013904223) & 0xffffffff
            level[c] += (((state >> 16) - 32768) - level[c]) >> (2 + c)
            x = (level[c] * abs(2 * i % 6000 - 3000)) >> 11
            state = (state * 1664525 + 1013904223) & 0xffffffff
            n = (state >> 16) - 32768
            rows["original"].append(x)
            rows["noise"].append(x + (n >> 3))
            rows["coarse"].append(x >> 9 << 9)
            rows["scaled"].append((x * 3 >> 2) + (n >> 6))
    return {name: np.array(v, np.float64).reshape(-1, channels) / 32768 for name, v in rows.items()}


def main():
    out = []
    for rate, channels, seconds in ((10000, 1, 3), (16000, 1, 1), (24000, 1, 1), (44100, 2, 1)):
        made = sounds(rate, channels, seconds)
        x = made.pop("original")
        for name, y in made.items():
            row = {"rate_hz": rate, "channels": channels, "seconds": seconds, "name": name, "si-sdr": metrics.si_sdr(x, y),
                   "seg-snr": metrics.segmental_snr(x, y, rate), "log-mel": metrics.log_mel_distance(x, y, rate),
                   "psnr-walloc": metrics.psnr_walloc(x, y)}
            if rate == 10000:  # at its own rate: nothing is resampled
                row["stoi"] = metrics.stoi(x[:, 0], y[:, 0])
            out.append(row)
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main()
