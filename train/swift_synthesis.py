"""The synthesis network of swift: a residual net on the 8x8-block grid that refines coefficients.

Its output, in 1/64 of a step and at most two steps, is added to the dequantised coefficients. Activations
are u8 at a scale of 1/32 throughout, so that a residual add is an integer add; weights have 7 bits.
docs/format/network.md defines the integer arithmetic that `quantised` imitates here."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

ACT = 32.0  # activation levels per unit
OUT = 64.0  # output levels per step
# Width, residual blocks, side of the second convolution in each; the first is 3x3.
SIZES = {'small': (32, 1, 1), 'medium': (64, 2, 3), 'large': (96, 3, 3), 'teacher': (192, 4, 3)}


def ste(x, y):
    return x + (y - x).detach()


class Conv(nn.Conv2d):
    def __init__(self, cin, cout, k):
        super().__init__(cin, cout, k)
        self.quantised = False

    def weight_scale(self):
        m = self.weight.detach().abs().amax((1, 2, 3)).clamp(min=1e-6)
        return (m / 63).view(-1, 1, 1, 1)

    def forward(self, x):
        w = self.weight
        if self.quantised:
            s = self.weight_scale()
            w = ste(w, torch.round(w / s).clamp(-64, 63) * s)
        p = self.kernel_size[0] // 2
        if p:
            x = F.pad(x, (p, p, p, p), mode='replicate')
        return F.conv2d(x, w, self.bias)


class Synthesis(nn.Module):
    def __init__(self, size, inputs=208, outputs=192, levels=OUT, sizes=SIZES):
        super().__init__()
        self.levels = levels  # of output, per step
        self.width, self.blocks, self.second = sizes[size]
        w = self.width
        self.head = Conv(inputs, w, 1)
        self.body = nn.ModuleList([nn.ModuleList([Conv(w, w, 3), Conv(w, w, self.second)]) for _ in range(self.blocks)])
        self.tail = Conv(w, outputs, 1)
        self.quantised = False
        for a, b in self.body:
            nn.init.normal_(a.weight, 0, (2 / (9 * w)) ** 0.5)
            nn.init.normal_(b.weight, 0, 0.3 * (2 / (self.second ** 2 * w)) ** 0.5)
        nn.init.normal_(self.tail.weight, 0, 0.002)
        nn.init.zeros_(self.tail.bias)

    def set_quantised(self, on):
        self.quantised = on
        for m in self.modules():
            if isinstance(m, Conv):
                m.quantised = on

    def act(self, x):
        x = x.clamp(0, 255 / ACT)
        return ste(x, torch.round(x * ACT) / ACT) if self.quantised else x

    def forward(self, features):
        """Integer features -> correction in steps."""
        x = self.act(self.head(features * (1 / 32)))
        for a, b in self.body:
            x = self.act(x + b(self.act(a(x))))
        y = self.tail(x)
        if self.quantised:
            y = ste(y, torch.round(y * self.levels) / self.levels)
            return y.clamp(-128 / self.levels, 127 / self.levels)
        return y

    def macs_per_pixel(self):
        return sum(m.weight.numel() for m in self.modules() if isinstance(m, Conv)) / 64

    def integer_units(self):
        """(name, convolution, value of an input step, output levels per unit) in order."""
        names = [(f'b{i}{c}', conv) for i, pair in enumerate(self.body) for c, conv in zip('ab', pair)]
        # Features enter as integers over 32.
        return [('head', self.head, 1 / 32, ACT), *((n, c, 1 / ACT, ACT) for n, c in names), ('tail', self.tail, 1 / ACT, self.levels)]

    def integer_layers(self):
        """(name, weight s8, bias s32, mult s32, shift u8, residual, output) in order, for export."""
        rows, last = [], 'head'
        for name, conv, scale_in, out_levels in self.integer_units():
            s = conv.weight_scale().view(-1).double()
            w = torch.round(conv.weight.detach().double() / s.view(-1, 1, 1, 1)).clamp(-64, 63)
            acc_unit = s * scale_in  # value of one accumulator step
            bias = torch.round(conv.bias.detach().double() / acc_unit).clamp(-2**30, 2**30)
            ratio = (acc_unit * out_levels).numpy()
            shift = np.clip(np.floor(30 - np.log2(ratio)), 1, 62).astype(np.int64)
            mult = np.round(ratio * 2.0 ** shift).astype(np.int64)
            assert (mult < 2**31).all() and (mult > 0).all()
            second = name.startswith('b') and name.endswith('b')
            rows.append((name, w.to(torch.int8).numpy().transpose(0, 2, 3, 1).copy(), bias.numpy().astype(np.int32),
                         mult.astype(np.int32), shift.astype(np.uint8), last if second else None, 's8' if name == 'tail' else 'u8'))
            if second:
                last = name
        return rows
