"""The networks of `live`, the learned method for recordings of time: latents, networks and files. docs/format/array.md section 11
is the integer arithmetic that `quantised` imitates here.

A group of channels is cut into packets of LEVELS levels; a position is all bands of all its channels, rising in frequency, at one
time. The encoder's network sees companded coefficients and adds to them before they are rounded, the decoder's sees the symbols and
adds to them before they are expanded; both are Monarch layers (grouped 1x1, shuffle, grouped 1x1)."""
import json

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import export_swift as E
import packet_twin as T
from swift_synthesis import ACT, ste

LEVELS = 5
BANDS = 1 << LEVELS
FINE = 8.0         # of what both networks see, per symbol
CORRECTION = 32.0  # of what both networks add, per symbol
UNIT = 64         # of symbols and steps in the table
PREDICT = 1 << 12  # of a weight of 1 in predictions
TABLE, SPACING = 1024, 16  # entries of the table, and what lies between them, in 1/64 symbols
ORDER = [f ^ f >> 1 for f in range(BANDS)]  # band in natural order of each frequency
SIGNS = torch.tensor([[-1.0] if bin(b).count('1') % 2 else [1.0] for b in ORDER])  # of integer packets, by frequency
SIZES = {'analysis': (64, 2, False), 'synthesis': (64, 3, True)}  # width (a square), blocks, taps in time


def merge(low, high):
    low, high = T._steps(low / T.SCALE, high * -T.SCALE, 2, lambda v, s, i: v - T.FACTORS[i] * s, (3, 2, 1, 0))
    return torch.stack([low, high], 3).reshape(*low.shape[:2], -1)


def packets(x):
    """{n, channels, t} -> {n, BANDS * channels, t / BANDS}: bands by frequency, in each the channels; signs as the integer packets have
    them (docs/format/packet.md section 4)"""
    n, c, t = x.shape
    y = T.channels(x.reshape(n * c, t), LEVELS).reshape(n, c, BANDS, t // BANDS)
    return (y[:, :, ORDER] * SIGNS).transpose(1, 2).reshape(n, BANDS * c, t // BANDS)


def from_packets(y, channels):
    n, _, p = y.shape
    back = np.argsort(ORDER)
    y = (y.reshape(n, BANDS, channels, p).transpose(1, 2) * SIGNS)[:, :, back].reshape(n * channels, BANDS, p)
    for _ in range(LEVELS):
        y = y.reshape(y.shape[0], -1, 2, y.shape[2])
        y = merge(y[:, :, 0], y[:, :, 1])
    return y.reshape(n, channels, -1)


def companded(v):
    """Exact to 32, then eighths to 64, then 64ths to 127."""
    a = v.abs()
    k = torch.where(a <= 32, a, torch.where(a <= 288, 32 + torch.floor((a - 32) / 8), 64 + torch.floor((a - 288) / 64)))
    return torch.sign(v) * k.clamp(max=127)


def smooth(v):
    """companded() without its rounding, for gradients."""
    a = v.abs()
    k = torch.where(a <= 32, a, torch.where(a <= 288, 32 + (a - 32) / 8, 64 + (a - 288) / 64))
    return torch.sign(v) * k.clamp(max=127)


class Grouped(nn.Module):
    """1x1 in groups of channels, {n, in, t}."""

    def __init__(self, cin, cout, groups, scale=1.0):
        super().__init__()
        self.groups = groups
        self.weight = nn.Parameter(torch.randn(groups, cout // groups, cin // groups) * scale * (2 * groups / cin) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(cout))
        self.quantised = False

    def scale(self):
        return (self.weight.detach().abs().amax(2, keepdim=True) / 63).clamp(min=1e-7)

    def forward(self, x):
        w = self.weight
        if self.quantised:
            s = self.scale()
            w = ste(w, torch.round(w / s).clamp(-64, 63) * s)
        n, c, t = x.shape
        return torch.matmul(w, x.reshape(n, self.groups, c // self.groups, t)).reshape(n, -1, t) + self.bias[:, None]

    def weights(self):
        """As the file has them, [out][1][1][in / groups], and the scale of each output."""
        s = self.scale().reshape(-1).double()
        w = self.weight.detach().double().reshape(len(s), -1)
        return torch.round(w / s[:, None]).clamp(-64, 63)[:, None, None, :], s


class Taps(nn.Module):
    """Each channel by itself, over three positions."""

    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, width))
        self.weight.data[1] = 1
        self.bias = nn.Parameter(torch.zeros(width))
        self.quantised = False
        self.groups = width

    def scale(self):
        return (self.weight.detach().abs().amax(0) / 63).clamp(min=1e-7)

    def forward(self, x):
        w = self.weight
        if self.quantised:
            s = self.scale()
            w = ste(w, torch.round(w / s).clamp(-64, 63) * s)
        wide, t = F.pad(x, (1, 1), mode='replicate'), x.shape[2]
        return sum(wide[..., i:i + t] * w[i][:, None] for i in range(3)) + self.bias[:, None]

    def weights(self):
        """A kernel of 3 x 3 whose middle row alone is not 0: positions are a picture's columns."""
        s = self.scale().double()
        w = torch.zeros(len(s), 3, 3, 1, dtype=torch.double)
        w[:, 1, :, 0] = torch.round(self.weight.detach().double().t() / s[:, None]).clamp(-64, 63)
        return w, s


def shuffle(x, groups):
    n, c, t = x.shape
    return x.reshape(n, groups, c // groups, t).transpose(1, 2).reshape(n, c, t)


class Net(nn.Module):
    """From {n, channels * BANDS, t}, integers in -127..127, to as many corrections in symbols."""

    def __init__(self, kind, channels):
        super().__init__()
        self.width, self.blocks, self.taps = SIZES[kind]
        w, self.g, io = self.width, int(self.width ** 0.5), channels * BANDS
        self.layers = nn.ModuleDict()
        self.layers['head1'] = Grouped(io, w, self.g)
        self.layers['head2'] = Grouped(w, w, self.g)
        for i in range(self.blocks):
            if self.taps:
                self.layers[f'b{i}t'] = Taps(w)
            self.layers[f'b{i}a'] = Grouped(w, w, self.g)
            self.layers[f'b{i}b'] = Grouped(w, w, self.g, 0.3)
        self.layers['tail1'] = Grouped(w, w, self.g)
        self.layers['tail2'] = Grouped(w, io, self.g, 0.02)
        self.quantised = False
        self.drop = nn.Dropout(0.0)

    def set_quantised(self, on):
        self.quantised = on
        for m in self.layers.values():
            m.quantised = on

    def act(self, x):
        x = x.clamp(0, 255 / ACT)
        return ste(x, torch.round(x * ACT) / ACT) if self.quantised else x

    def forward(self, k):
        L = self.layers
        x = self.act(L['head1'](k * (1 / FINE)))
        x = self.act(L['head2'](shuffle(x, self.g)))
        for i in range(self.blocks):
            h = self.act(L[f'b{i}t'](x)) if self.taps else x
            h = self.drop(shuffle(self.act(L[f'b{i}a'](h)), self.g))
            x = self.act(x + L[f'b{i}b'](h))
        x = shuffle(self.act(L['tail1'](x)), self.g)
        y = L['tail2'](x)
        if self.quantised:
            y = ste(y, torch.round(y * CORRECTION) / CORRECTION)
            y = y.clamp(-128 / CORRECTION, 127 / CORRECTION)
        return y

    def macs(self):
        return sum(m.weight.numel() * (3 if isinstance(m, Taps) else 1) for m in self.layers.values())

    def integer_layers(self, name):
        """Tensors of the file and the layers of the graph."""
        tensors, rows, at, stream = {}, [], 'in', None
        for key, m in self.layers.items():
            w, s = m.weights()
            tail = key == 'tail2'
            unit = s * (1 / FINE if key == 'head1' else 1 / ACT)
            out = CORRECTION if tail else ACT
            ratio = (unit * out).numpy()
            shift = np.clip(np.floor(30 - np.log2(ratio)), 1, 62).astype(np.int64)
            mult = np.round(ratio * 2.0 ** shift).astype(np.int64)
            assert (mult < 2**31).all() and (mult > 0).all()
            bias = torch.round(m.bias.detach().double() / unit).clamp(-2**30, 2**30)
            tensors.update({f'{name}.{key}.weight': w.to(torch.int8).numpy(), f'{name}.{key}.bias': bias.numpy().astype(np.int32),
                            f'{name}.{key}.mult': mult.astype(np.int32), f'{name}.{key}.shift': shift.astype(np.uint8)})
            if key[-1] in '2b':  # the second of a Monarch layer
                rows.append({'op': 'shuffle', 'name': key + 's', 'input': at, 'groups': self.g})
                at = key + 's'
            residual = stream if key[-1] == 'b' else None
            rows.append({'op': 'conv', 'name': key, 'input': at, 'kernel': 3 if isinstance(m, Taps) else 1, 'groups': m.groups,
                         'out': w.shape[0], 'residual': residual, 'output': 's8' if tail else 'u8',
                         'input_zero_point': 128 if key == 'head1' else 0})
            at = key
            if key == 'head2' or key[-1] == 'b':
                stream = key
        return tensors, rows


def forward_curve(x, power):
    """Steps to symbols; 0.1 keeps the slope at 0 finite. The slope at 8 is 1."""
    gain = 8.1 ** (1 - power) / power
    return torch.sign(x) * gain * ((x.abs() + 0.1) ** power - 0.1 ** power)


def table(power):
    """What magnitudes of i * SPACING / 64 symbols stand for, in 1/64 step: the inverse of forward_curve()."""
    gain = 8.1 ** (1 - power) / power
    y = np.arange(TABLE + 1) * (SPACING / UNIT)
    x = (y / gain + 0.1 ** power) ** (1 / power) - 0.1
    t = np.round(x * UNIT).astype(np.int64)
    t[0] = 0
    for i in range(1, len(t)):
        t[i] = max(t[i], t[i - 1] + 1)
    return t.astype(np.int32)


def expand(y, table):
    """Symbols to steps, as the table says it between its entries and beyond the last."""
    size = y.abs() * (UNIT / SPACING)
    i = size.detach().long().clamp(max=TABLE - 1)
    low, high = table[i], table[i + 1]
    return torch.sign(y) * (low + (high - low) * (size - i)) / UNIT


def compress(x, table):
    """The inverse of expand()."""
    size = x.abs() * UNIT
    i = (torch.searchsorted(table, size.detach().contiguous(), right=True) - 1).clamp(0, TABLE - 1)
    low, high = table[i], table[i + 1]
    return torch.sign(x) * (i + (size - low) / (high - low)) * (SPACING / UNIT)


def export(path, analysis, synthesis, channels, power, predict, name, version, description, starts=None):
    tensors, metadata = {'live.expand': table(power), **(starts or {})}, {}
    if predict is not None:
        tensors['live.predict'] = np.round(predict.numpy() * PREDICT).astype(np.int16)
    for key, net in (('analysis', analysis), ('synthesis', synthesis)):
        if net is None:
            continue
        of_net, layers = net.integer_layers(key)
        tensors.update(of_net)
        metadata['network.' + key] = json.dumps({'input_channels': channels * BANDS, 'input_zero_point': 128, 'layers': layers},
                                                separators=(',', ':'))
    return E.write_safetensors(path, tensors, {
        'godwit.codec': 'packet', 'godwit.kind': 'stream', 'godwit.method': 'live', 'godwit.live.channels': str(channels),
        'godwit.live.levels': str(LEVELS), 'godwit.name': name, 'godwit.version': version, 'godwit.description': description, **metadata})
