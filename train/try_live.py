#!/usr/bin/python3
"""An experiment, not a codec: what a learned light encoder (`live`) is worth for a recording of several channels, in float.

    train/try_live.py --data RECORDING.npy --step 1.9 --kind live --minutes 22

The first half of RECORDING, (time, channel), is trained on and the second measured: its bytes are the conditional entropy of its
symbols under a learned model, so less than a file would take; dB are of the recording's range. Compare with
`godwit encode SECOND.npy X.gdw --method wavelet --model none --psnr DB`. --kind: `live` (packets, power companding, Monarch blocks, rounding, more
such blocks with taps in time), `decoder` (plain packets, the same decoder) or `plain` (packets alone). `LOG.md` 39 has results.
--triples: channels are three axes of each sensor, and may be turned in space."""
import argparse
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import packet_twin as T

LEVELS, GROUPS, LONGEST = 5, 16, 4096  # of a crop
BANDS = 1 << LEVELS


def merge(low, high):
    low, high = T._steps(low / T.SCALE, high * -T.SCALE, 2, lambda v, s, i: v - T.FACTORS[i] * s, (3, 2, 1, 0))
    return torch.stack([low, high], 3).reshape(*low.shape[:2], -1)


def packets(x):
    """{n, channels, t} -> {n, channels * BANDS, t / BANDS}"""
    n, c, t = x.shape
    return T.channels(x.reshape(n * c, t), LEVELS).reshape(n, c * BANDS, t // BANDS)


def from_packets(y, channels):
    n, _, t = y.shape
    y = y.reshape(n * channels, BANDS, t)
    for _ in range(LEVELS):
        y = y.reshape(y.shape[0], -1, 2, y.shape[2])
        y = merge(y[:, :, 0], y[:, :, 1])
    return y.reshape(n, channels, -1)


class Monarch(nn.Module):
    """Grouped 1x1, shuffle, grouped 1x1."""

    def __init__(self, width, scale=1.0):
        super().__init__()
        self.each = width // GROUPS
        self.first = nn.Parameter(torch.randn(GROUPS, self.each, self.each) * self.each ** -0.5)
        self.second = nn.Parameter(torch.randn(self.each, GROUPS, GROUPS) * scale * GROUPS ** -0.5)
        self.bias = nn.Parameter(torch.zeros(1, width, 1))

    def forward(self, x):
        n, c, t = x.shape
        x = torch.matmul(self.first, x.view(n, GROUPS, self.each, t)).transpose(1, 2)
        return torch.matmul(self.second, x).reshape(n, c, t) + self.bias


class Block(nn.Module):
    def __init__(self, width, taps):
        super().__init__()
        self.m1, self.m2 = Monarch(width), Monarch(width, 0.02)
        self.taps = nn.Parameter(torch.zeros(taps, width, 1))
        self.taps.data[taps // 2] = 1

    def forward(self, x):
        h, reach, t = self.m1(x), len(self.taps) // 2, x.shape[2]
        h = F.pad(h, (reach, reach))
        return x + self.m2(F.relu(sum(h[..., i:i + t] * self.taps[i] for i in range(len(self.taps)))))


class Codec(nn.Module):
    def __init__(self, kind, channels, step):
        super().__init__()
        self.channels, self.step, width = channels, step, channels * BANDS
        self.encoder = nn.ModuleList(Block(width, 1) for _ in range(4 if kind == 'live' else 0))
        self.decoder = nn.ModuleList(Block(width, 5) for _ in range(0 if kind == 'plain' else 6))
        self.live = kind == 'live'
        self.log_power, self.gain = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(1, width, 1))
        # The scale and mean of a symbol, from two positions before and from neighbours in band and channel.
        self.drop, self.c1, self.c2 = nn.Dropout(0.3), nn.Conv1d(4 * width, 24, 1), nn.Conv1d(24, 2 * width, 1)
        self.near, self.bias = nn.Parameter(torch.zeros(4, width, 1)), nn.Parameter(torch.full((1, width, 1), -1.5))
        nn.init.normal_(self.c2.weight, 0, 0.01)

    def encode(self, x):
        y = packets(x) / self.step
        if self.live:
            p = torch.exp(self.log_power)
            y = torch.sign(y) * ((y.abs() + 0.1) ** p - 0.1 ** p)
            for block in self.encoder:
                y = block(y)
            y = y * torch.exp(self.gain)
        return y

    def decode(self, q):
        q = q * torch.exp(-self.gain) if self.live else q
        for block in self.decoder:
            q = block(q)
        if self.live:
            p = torch.exp(self.log_power)
            q = torch.sign(q) * ((q.abs() + 0.1 ** p) ** (1 / p) - 0.1)
        return from_packets(q * self.step, self.channels)

    def bits(self, q):
        before = lambda v, k: F.pad(v, (k, 0))[..., :-k]
        size = torch.log1p(q.abs())
        signed = torch.sign(q) * size
        past = torch.cat([before(v, k) for k in (1, 2) for v in (signed, size)], 1)
        mean, scale = self.c2(F.gelu(self.c1(self.drop(past)))).chunk(2, 1)
        by_band = size.view(len(q), self.channels, BANDS, -1)
        bands = [F.pad(by_band, (0, 0, k, 0))[:, :, :-k] for k in (1, 2)]
        other = torch.cat([torch.zeros_like(by_band[:, :1]), by_band[:, :-1]], 1)
        near = sum(v.reshape(q.shape) * w for v, w in zip((*bands, other), self.near)) + self.near[3]
        scale = torch.exp((scale + near + self.bias).clamp(-5, 6))
        mean = mean * scale
        side = torch.sign(q - mean)
        p = torch.sigmoid(-side * (q - 0.5 - mean) / scale) - torch.sigmoid(-side * (q + 0.5 - mean) / scale)
        return -torch.log2(p.abs().clamp(min=1e-7))


def crops(half, count, rng, triples):
    crop = min(LONGEST, len(half) // BANDS * BANDS)
    out = np.empty((count, half.shape[1], crop), np.float32)
    for i in range(count):
        at = rng.integers(0, len(half) - crop + 1)
        v = half[at:at + crop]
        if triples and rng.random() < 0.9:
            turn = np.linalg.qr(rng.normal(size=(3, 3)))[0].astype(np.float32)
            v = np.concatenate([v[:, k:k + 3] @ turn for k in range(0, v.shape[1], 3)], 1)
        out[i] = (v[::-1] if rng.random() < 0.3 else v).T * np.float32(2 ** rng.uniform(-0.7, 0.7))
    return torch.from_numpy(out)


@torch.no_grad()
def measure(net, half, width, device):
    net.eval()
    x = torch.from_numpy(half[:len(half) // BANDS * BANDS].T.copy())[None].to(device)
    q = torch.round(net.encode(x))
    error = (x - net.decode(q)).square().mean().item()
    return f'held {net.bits(q).sum().item() / 8:.0f} bytes {10 * np.log10(width ** 2 / error):.2f} dB'


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--data', required=True); p.add_argument('--step', type=float, required=True)
    p.add_argument('--kind', choices=('live', 'decoder', 'plain'), default='live'); p.add_argument('--minutes', type=float, default=22)
    p.add_argument('--weight', type=float, default=0.08, help='of a bit a sample, in squared steps'); p.add_argument('--batch', type=int, default=4)
    p.add_argument('--lr', type=float, default=1e-3); p.add_argument('--seed', type=int, default=3); p.add_argument('--threads', type=int, default=1)
    p.add_argument('--triples', action='store_true')
    a = p.parse_args()
    torch.set_num_threads(a.threads); torch.manual_seed(a.seed); torch.set_flush_denormal(True)
    rng, device = np.random.default_rng(a.seed), 'cuda' if torch.cuda.is_available() else 'cpu'
    whole = np.load(a.data).astype(np.float32)
    if whole.ndim != 2 or len(whole) < 8 * BANDS or (a.triples and whole.shape[1] % 3):
        raise SystemExit(f'{a.data}: not (time, channel) of {8 * BANDS} samples and more')
    channels = whole.shape[1]
    first, second = whole[:len(whole) // 2], whole[len(whole) // 2:]
    width = float(whole.max() - whole.min())
    net, mean = (Codec(a.kind, channels, a.step).to(device) for _ in range(2))
    mean.load_state_dict(net.state_dict())
    weights = {id(v) for n, v in net.named_parameters() if v.dim() > 1 and not any(w in n for w in ('near', 'bias', 'gain'))}
    groups = [{'params': [v for v in net.parameters() if id(v) in weights], 'weight_decay': 0.3},
              {'params': [v for v in net.parameters() if id(v) not in weights], 'weight_decay': 0.0}]
    opt = torch.optim.AdamW(groups, lr=a.lr)
    macs = lambda blocks: sum(v.numel() for v in blocks.parameters()) / BANDS / channels
    print(f'{a.kind}: {macs(net.encoder):.0f} MAC/sample to encode, {macs(net.decoder):.0f} to decode', flush=True)
    began, said, step = time.time(), time.time(), 0
    while (done := (time.time() - began) / 60 / a.minutes) < 1:
        for g in opt.param_groups:
            g['lr'] = a.lr * min(1, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * done)))
        x = crops(first, a.batch, rng, a.triples).to(device)
        y = net.encode(x)
        q = y + (torch.round(y) - y).detach() if done > 0.5 else y + torch.rand_like(y) - 0.5  # noise, then rounding
        error, bits = (x - net.decode(q)).square().mean() / a.step ** 2, net.bits(q).mean()
        loss = error + a.weight * bits
        opt.zero_grad(); loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step(); step += 1
        with torch.no_grad():
            for m, v in zip(mean.parameters(), net.parameters()):
                m.lerp_(v, 1 - min(0.998, step / (step + 10)))
        if time.time() - said > a.minutes * 6:
            said = time.time()
            print(f'step {step} min {(said - began) / 60:.1f} error {error.item():.4f} bit {bits.item():.3f} {measure(mean, second, width, device)}', flush=True)
    print(f'step {step} end {measure(mean, second, width, device)}')


if __name__ == '__main__':
    main()
