#!/usr/bin/python3
"""A model of the live method for recordings of one kind, from a folder of .npy files (time, channel).

    train_live.py CONFIG.toml --data FOLDER --out FILE.safetensors

Fits predictions of bands from lower bands (docs/format/array.md section 11) to the first part of each recording, writes FILE and, beside
it, its card: what `--method live` takes of the other part at some PSNRs beside `--method wavelet`. With --minutes networks are trained,
too, of the decoder or of both sides, for bits and squared error at steps drawn from a range; bits are those of a small model of symbols
that imitates the contexts of files and is thrown away. The last part imitates integers; what ships is the running average. CONFIG.toml:

    name = "motion-live"
    version = "1"
    description = "..."
    channels = 3                  # that belong together: a recording may have any multiple of these
    turned = true                 # the channels of a group are axes of space: crops are turned at random
    holdout = 0.5                 # of each recording, the last part, never trained on
    steps = [0.002, 0.04]         # of the quantiser, in parts of a recording's range: the finest and the coarsest
    psnr = [45, 50, 55, 62]       # of the card's table
    source = "where the data are from"   # for the card, with the licence and the credits that it asks for
    licence = "CC BY 4.0"
"""
import argparse
import datetime
import json
import os
import subprocess
import tempfile
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import export_swift as E
import live_network as N
from model_config import read_config
from synthesis_run import machine_name

KEYS = {'name': str, 'version': str, 'description': str, 'channels': int, 'turned': bool, 'holdout': float, 'steps': list,
        'psnr': list, 'source': str, 'licence': str}
LONGEST = 2048  # samples of a crop
BIT = 0.065     # worth in squared steps, as the encoder weighs it


def checked_config(path):
    config = read_config(path, KEYS)
    if not 0 < config['holdout'] < 1 or not 1 <= config['channels'] <= 32 or len(config['steps']) != 2:
        raise SystemExit(f'{path}: holdout is between 0 and 1, channels are 1 to 32, steps are the finest and the coarsest')
    return config


def load(folder, config):
    """(groups of channels {count, t} of both parts, range) of each recording"""
    out = []
    for n in sorted(os.listdir(folder)):
        if not n.endswith('.npy'):
            continue
        a = np.load(os.path.join(folder, n)).astype(np.float32)
        a = a.reshape(len(a), -1)
        if a.shape[1] % config['channels'] or len(a) < 8 * N.BANDS or not np.isfinite(a).all():
            raise SystemExit(f'{n}: not (time, channel), finite, of {8 * N.BANDS} samples and a multiple of {config["channels"]} channels')
        width = float(a.max() - a.min())
        a -= (a.max() + a.min()) / 2  # as the codec does
        cut = int(round(len(a) * (1 - config['holdout'])))
        parts = [p.T.reshape(-1, config['channels'], p.shape[0]) for p in (a[:cut], a[cut:])]
        out.append((*parts, width))
    if not out:
        raise SystemExit(f'{folder}: no .npy files')
    return out


class Bits(nn.Module):
    """About what symbols cost behind the contexts of docs/format/array.md section 8: a size is expected from those to the left, in lower
    bands, in the channel before and from a slow mean. A class of bands has a dozen numbers, so that nothing is learned by heart. Thrown away."""
    FEATURES = 9

    def __init__(self, channels):
        super().__init__()
        self.channels = channels
        octave = np.floor(np.log2(np.maximum(1, np.arange(N.BANDS)))).astype(int) + 1
        octave[0] = 0
        self.register_buffer('octave', torch.from_numpy(octave), persistent=False)
        count = int(octave.max()) + 1
        self.weight_of = nn.Parameter(torch.full((self.FEATURES, count), -3.0))
        self.rest = nn.Parameter(torch.full((count,), -2.0))
        self.register_buffer('decay', (0.875 ** torch.arange(32.0)).flip(0) / 8, persistent=False)

    def scales(self, q):
        n, w, t = q.shape
        v = q.view(n, N.BANDS, self.channels, t)
        left = F.pad(v[:, :1], (1, 0))[..., :-1]
        mean = torch.cat([left, torch.zeros_like(v[:, 1:])], 1)
        a = torch.cat([(v[:, :1] - left), v[:, 1:]], 1).abs()
        before = lambda x, k: F.pad(x, (k, 0))[..., :-k]
        beside = lambda x: before(x, 1) + F.pad(x, (0, 1))[..., 1:]
        lower = lambda x, k: F.pad(x, (0, 0, 0, 0, k, 0))[:, :-k]
        channel = F.pad(a, (0, 0, 1, 0))[:, :, :-1]
        wide = F.conv1d(F.pad(a.reshape(-1, 1, t), (32, 0)), self.decay.view(1, 1, -1))[..., :-1].reshape(a.shape)
        features = (before(a, 1), before(a, 2), before(a, 3) + before(a, 4), lower(a, 1), beside(lower(a, 1)),
                    lower(a, 2) + lower(a, 3) + lower(a, 4), channel, beside(channel), wide)
        gains = F.softplus(self.weight_of)[:, self.octave]
        scale = sum(f * g.view(1, -1, 1, 1) for f, g in zip(features, gains)) + F.softplus(self.rest)[self.octave].view(1, -1, 1, 1)
        return mean.reshape(q.shape), scale.reshape(q.shape) + 0.02

    def cost(self, q, mean, scale):
        d = (q - mean).abs()  # the side where differences of sigmoids are exact
        p = torch.sigmoid((0.5 - d) / scale) - torch.sigmoid((-0.5 - d) / scale)
        return -torch.log2(p.clamp(min=1e-7))


class Codec(nn.Module):
    def __init__(self, channels, has_analysis):
        super().__init__()
        self.channels = channels
        self.analysis = N.Net('analysis', channels) if has_analysis else None
        self.synthesis, self.bits = N.Net('synthesis', channels), Bits(channels)
        self.log_power = nn.Parameter(torch.zeros(()))
        self.table = None  # of the power, once that is settled
        self.plain = False  # without the networks, to compare
        self.register_buffer('predict', torch.zeros(N.BANDS, N.BANDS, 3))

    def power(self):
        return torch.exp(self.log_power).clamp(0.5, 1)

    def settle(self):
        self.log_power.requires_grad = False
        self.table = torch.from_numpy(N.table(self.power().item())).float()
        for net in filter(None, (self.analysis, self.synthesis)):
            net.set_quantised(True)

    def latents(self, x):
        """{n, channels, t} in steps"""
        y = N.packets(x)
        y = N.compress(y, self.table) if self.table is not None else N.forward_curve(y, self.power())
        if self.plain or self.analysis is None:
            return y
        fine = y * N.FINE
        k = N.companded(torch.round(fine))
        smooth = N.smooth(fine)
        return y + self.analysis(smooth + (k - smooth).detach())

    def predicted(self, y):
        """What bands below predict; of latents rounded where decoders have them decoded, which is nearly the same."""
        n, w, t = y.shape
        y = (y + (torch.round(y) - y).detach()).view(n, N.BANDS, -1)
        wide = F.pad(y.view(n * N.BANDS, -1, t), (1, 1), mode='replicate')
        taps = torch.stack([wide[..., d:d + t] for d in range(3)], 1).view(n, N.BANDS * 3, -1)
        return torch.matmul(self.predict.reshape(N.BANDS, -1), taps).reshape(n, w, t)

    def samples(self, latents, whole):
        """`latents` with symbols moved to where they are in the mean; the network sees them without that."""
        fine = whole * N.FINE
        k, smooth = N.companded(torch.round(fine)), N.smooth(fine)
        y = latents if self.plain else latents + self.synthesis(smooth + (k - smooth).detach())
        if self.table is not None:
            y = N.expand(y, self.table)
        else:
            p = self.power()
            y = torch.sign(y) * ((y.abs() * p / 8.1 ** (1 - p) + 0.1 ** p) ** (1 / p) - 0.1)
        return N.from_packets(y, self.channels)

    def rounded(self, y):
        """Symbols as the encoder decides them, and what they cost."""
        near = torch.round(y)
        mean, scale = self.bits.scales(near.detach())
        size, lower = near.abs(), near - torch.sign(near)
        with torch.no_grad():
            saved = self.bits.cost(near, mean, scale) - self.bits.cost(lower, mean, scale)
            error = (y - lower).square() - (y - near).square()
            take = (BIT * saved > error) & (size > 0)
            take[:, :self.channels] = False  # the lowest band, which is predicted
            q = torch.where(take, lower, near)
        return q

    def forward(self, x):
        """Symbols, latents and what the decoder's network sees."""
        y = self.latents(x)
        predicted = self.predicted(y)
        rest = y - predicted
        hard = self.rounded(rest)
        q = rest + (hard - rest).detach()
        whole = q + predicted
        return q, whole - self.points(rest.detach(), hard), whole

    @staticmethod
    def points(y, q):
        """How much less than their whole number magnitudes of 1, and larger ones, are in the mean of a band: in 1/64, up to 31."""
        less = q.abs() - y.abs()
        n, w, t = q.shape
        out = torch.zeros_like(q)
        for mask in (q.abs() == 1, q.abs() > 1):
            m = mask.view(n, N.BANDS, -1).float()
            p = (less.view(n, N.BANDS, -1) * m).sum(2) / m.sum(2).clamp(min=1)
            p = (torch.round(p * 64).clamp(-31, 31) / 64)[:, :, None].expand(-1, -1, m.shape[2]).reshape(q.shape)
            out = out + p * mask
        return out * torch.sign(q)


def crops(recordings, steps, count, rng, turned):
    length = min(LONGEST, *(g.shape[2] // N.BANDS * N.BANDS for g, _, _ in recordings))
    out = np.empty((count, recordings[0][0].shape[1], length), np.float32)
    for i in range(count):
        half, _, width = recordings[rng.integers(len(recordings))]
        v = half[rng.integers(len(half))]
        at = rng.integers(0, v.shape[1] - length + 1)
        v = v[:, at:at + length]
        if turned and rng.random() < 0.9:
            v = np.linalg.qr(rng.normal(size=(len(v), len(v))))[0].astype(np.float32) @ v
        v = v[:, ::-1] if rng.random() < 0.3 else v
        step = width * np.exp(rng.uniform(*np.log(steps)))
        out[i] = v * np.float32((-1 if rng.random() < 0.5 else 1) * 2 ** rng.uniform(-0.5, 0.5) / step)
    return torch.from_numpy(out)


def fit_predictions(recordings, steps, rng, rounds=12, ridge=0.02):
    """Weights of bands from bands below at three positions, of latents with the noise of rounding: least sums of log(0.3 + error^2), by
    weighted squares, since what counts is bits."""
    steps, parts = np.exp(np.linspace(*np.log((steps[0] / 2, steps[1] / 2)), 3)), []
    for groups, _, width in recordings:
        t = groups.shape[2] // N.BANDS * N.BANDS
        y = N.packets(torch.from_numpy(np.ascontiguousarray(groups[..., :t]))).numpy()
        y = y.reshape(len(y), N.BANDS, -1, t // N.BANDS).transpose(1, 0, 2, 3).reshape(N.BANDS, -1, t // N.BANDS)
        parts += [y / np.float32(s * width) for s in steps]
    out = np.zeros((N.BANDS, N.BANDS, 3))
    for f in range(1, N.BANDS):
        inputs, wanted = [], []
        for y in parts:
            wide, t = np.concatenate([y[:f, :, :1], y[:f], y[:f, :, -1:]], 2), y.shape[2]
            taps = np.stack([wide[..., d:d + t] for d in range(3)], 1).reshape(3 * f, -1)
            inputs.append(taps + rng.uniform(-0.5, 0.5, taps.shape)); wanted.append(y[f].ravel())
        inputs, wanted = np.concatenate(inputs, 1), np.concatenate(wanted)
        error = wanted
        for _ in range(rounds):
            k = 1 / (0.3 + error * error)
            w = np.linalg.solve((inputs * k) @ inputs.T + np.eye(3 * f) * ridge * len(wanted), (inputs * k) @ wanted)
            error = wanted - w @ inputs
        out[f, :f] = w.reshape(f, 3)
    return np.clip(np.round(out * N.PREDICT), -32767, 32767)


@torch.no_grad()
def measure(net, recordings, steps):
    """Bits a sample by the model of symbols, and dB of the range, of the held-out parts; in brackets by how much squared error and
    bits, as the loss weighs them, are below those without the networks."""
    net.eval()
    rows = []
    for step in np.exp(np.linspace(*np.log(steps), 4)):
        costs = []
        for plain in (True, False):
            net.plain = plain
            bits = samples = error = 0
            for _, held, width in recordings:
                t = held.shape[2] // N.BANDS * N.BANDS
                x = torch.from_numpy(held[..., :t] / np.float32(step * width))
                q, latents, whole = net(x)
                mean, scale = net.bits.scales(q)
                bits += net.bits.cost(q, mean, scale).sum().item()
                error += (x - net.samples(latents, whole)).square().sum().item()
                samples += x.numel()
            costs.append(error + BIT * bits)
        net.plain = False
        rows.append(f'{bits / samples:.3f} {10 * np.log10(samples / error) - 20 * np.log10(step):.2f} ({100 * (costs[1] / costs[0] - 1):+.2f} %)')
    return ', '.join(rows)


def encoded(program, array, folder, options):
    """(bytes, dB) of a file"""
    np.save(f'{folder}/x.npy', array)
    out = subprocess.run([program, 'encode', '-f', f'{folder}/x.npy', f'{folder}/x.gdw', '--json', '--report-psnr', *options], check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    result = json.loads(out)
    return result['bytes'], result['psnr_db'], result['bits_per_sample']


def finish(a, config, analysis, synthesis, power, predict, began):
    """The file and its card."""
    minutes = (time.time() - began) / 60
    model_id = N.export(a.out, analysis, synthesis, config['channels'], power, predict, config['name'], config['version'], config['description'])
    rows, data = [], []
    with tempfile.TemporaryDirectory() as folder:
        for n in sorted(os.listdir(a.data)):
            if not n.endswith('.npy'):
                continue
            array = np.load(os.path.join(a.data, n))
            data.append(f'- {n}: {array.dtype}, {"x".join(map(str, array.shape))}')
            held = array[int(round(len(array) * (1 - config['holdout']))):]
            axes = ','.join(map(str, range(1, array.ndim)))
            for db in config['psnr']:
                live = encoded(a.program, held, folder, ['--psnr', str(db), '--axes', axes, '--method', 'live', '--model', a.out])
                others = [encoded(a.program, held, folder, ['--psnr', str(db), '--axes', x, '--method', m, '--model', 'none'])
                          for x, m in ((axes, 'wavelet'), ('none', 'wavelet'), (axes, 'predict'))]
                rows.append(f'| {n} | {live[1]:.2f} | {live[2]:.3f} | {live[0]} | ' + ' | '.join(
                    f'{b} ({100 * (live[0] / b - 1):+.1f} %)' for b, *_ in others) + ' |')
    nets = [f'{k} {m.macs() / m_inputs:.0f}' for k, m, m_inputs in (('encoder', analysis, config['channels'] * N.BANDS), ('decoder', synthesis, config['channels'] * N.BANDS)) if m]
    command = f'train/train_live.py {a.config} --data FOLDER --out {a.out}' + (f' --minutes {a.minutes:g}' if a.minutes else '') + (' --encoder' if analysis else '')
    predict_macs = 3 * (N.BANDS - 1) / 2
    with open(os.path.splitext(a.out)[0] + '.md', 'w') as f:
        f.write(f"""# {config['name']}-{config['version']}

{config['description']}. A model of the live method of arrays (`docs/format/array.md` section 11): packets of {N.LEVELS} levels, predictions of bands
from lower ones{', networks' if nets else ''}, for groups of {config['channels']} channels.

| | |
|---|---|
| file | `{os.path.basename(a.out)}`, {os.path.getsize(a.out):,} bytes |
| id | `{model_id}` |
| encoder | {2 * N.LEVELS + 1:g} multiply-adds a sample for packets and step, {predict_macs:g} for predictions; a decoder does the same |
| networks | {', '.join(nets) + ' multiply-adds a sample' if nets else 'none'} |
| curve | power {power:g} |

## How it was made

```sh
{command}
```

{60 * minutes:.0f} seconds, {machine_name('cpu', a.threads)}; {datetime.date.today().isoformat()}.

## Data

{config['source']}. Licence: {config['licence']}.

{chr(10).join(data)}

The last {config['holdout']:g} of each recording is held out; the rest was fitted to. Both parts are of the same recording, so that another
instrument or wearer may gain less.

## Results

The held-out parts at equal PSNR: bytes, and in brackets what the live method saves of those of `--method wavelet --model none`, whose tiles have
channels mixed by a fitted matrix, of the same with `--axes none`, channels as an axis, and of `--method predict`.

| array | dB | bit/sample | live | wavelet, channels | wavelet, `--axes none` | prediction |
|---|--:|--:|--:|--:|--:|--:|
{chr(10).join(rows)}

## Licence

Apache-2.0, as the rest of Godwit; the data's as above.
""")
    print('\n'.join(rows))
    print(f'{a.out}, id {model_id}')


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('config'); p.add_argument('--data', required=True); p.add_argument('--out', required=True)
    p.add_argument('--minutes', type=float, default=0, help='of networks; 0: none'); p.add_argument('--program', default='build/release/apps/godwit')
    p.add_argument('--qat', type=float, default=0.35, help='share of the time')
    p.add_argument('--encoder', action='store_true', help='train a network of the encoder too')
    p.add_argument('--power', action='store_true', help='learn the power of the curve; else it is 1')
    p.add_argument('--batch', type=int, default=16); p.add_argument('--lr', type=float, default=1e-3)
    p.add_argument('--seed', type=int, default=1); p.add_argument('--threads', type=int, default=1)
    a = p.parse_args()
    began = time.time()
    torch.set_num_threads(a.threads); torch.manual_seed(a.seed); torch.set_flush_denormal(True)
    rng, config = np.random.default_rng(a.seed), checked_config(a.config)
    recordings, channels = load(a.data, config), config['channels']
    net, mean = Codec(channels, a.encoder), Codec(channels, a.encoder)
    net.predict.copy_(torch.from_numpy(fit_predictions(recordings, config['steps'], rng) / N.PREDICT))
    mean.load_state_dict(net.state_dict())
    for m in (net, mean):
        m.log_power.requires_grad = a.power
    for n in filter(None, (net.analysis, net.synthesis)):
        n.drop.p = 0.1
    decays = [v for n, v in net.named_parameters() if n.endswith('weight')]  # not those of the bits
    rest = [v for n, v in net.named_parameters() if not n.endswith('weight')]
    opt = torch.optim.AdamW([{'params': decays, 'weight_decay': 0.1}, {'params': rest, 'weight_decay': 0.0}], lr=a.lr)
    if not a.minutes:
        return finish(a, config, None, None, 1.0, net.predict, began)
    print(', '.join(f'{name} {n.macs() / N.BANDS / channels:.0f} MAC/sample' for name, n in (('analysis', net.analysis), ('synthesis', net.synthesis)) if n), flush=True)
    began, said, step, settled = time.time(), time.time(), 0, False
    while (done := (time.time() - began) / 60 / a.minutes) < 1:
        if done > 1 - a.qat and not settled:
            settled = True
            for m in (net, mean):
                m.settle()
            with torch.no_grad():
                mean.log_power.copy_(net.log_power)
                mean.table = net.table
        for g in opt.param_groups:
            g['lr'] = a.lr * min(1, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * done)))
        net.train()
        x = crops(recordings, config['steps'], a.batch, rng, config['turned'])
        q, latents, whole = net(x)
        m, s = net.bits.scales(q)
        error, bits = (x - net.samples(latents, whole)).square(), net.bits.cost(q, m, s)
        # Each crop in parts of its own error, so that coarse steps count no more than fine ones. Bits teach the model of bits, and
        # the encoder's network where there is one.
        each = error.mean((1, 2)).detach()
        loss = ((error.mean((1, 2)) + BIT * bits.mean((1, 2))) / (each + 0.02)).mean()
        opt.zero_grad(); loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step(); step += 1
        with torch.no_grad():
            for u, v in zip(mean.parameters(), net.parameters()):
                u.lerp_(v, 1 - min(0.998, step / (step + 10)))
        if time.time() - said > a.minutes * 6 or step == 20:
            said = time.time()
            print(f'step {step} min {(said - began) / 60:.1f} error {error.mean().item():.4f} bit {bits.mean().item():.3f} '
                  f'power {net.power().item():.3f} held {measure(mean, recordings, config["steps"])}', flush=True)
            torch.save({'model': mean.state_dict(), 'steps': step, 'minutes': (said - began) / 60}, a.out + '.pt')
    if not settled:
        mean.settle()
    print(f'step {step}, held {measure(mean, recordings, config["steps"])}')
    finish(a, config, mean.analysis, mean.synthesis, mean.power().item(), mean.predict, began)


if __name__ == '__main__':
    main()
