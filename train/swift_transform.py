"""Float twin of the swift analysis: pixels -> coefficients -> symbols -> what the synthesis sees."""
import numpy as np
import torch
import torch.nn.functional as F

import swift_layout as L

_d8 = L.dct(8)
# weight[plane * 64 + v * 8 + u, colour, y, x]
ANALYSIS = torch.tensor(np.einsum('pc,vy,ux->pvucyx', L.COLOUR, _d8, _d8).reshape(192, 3, 8, 8), dtype=torch.float32)
COARSE = torch.tensor(np.einsum('vy,ux->vuyx', L.dct(4), L.dct(4)).reshape(16, 1, 4, 4), dtype=torch.float32)
COMPAND = torch.tensor(L.compand_table(), dtype=torch.float32)
LAYER = torch.tensor(L.LAYER)


def coefficients(rgb):
    """u8 {n, h, w, 3}, sides multiples of 32 -> float {n, 192, h / 8, w / 8}."""
    x = torch.as_tensor(rgb).permute(0, 3, 1, 2).float() - 128
    return F.conv2d(x, ANALYSIS.to(x.device), stride=8)


def inverse(c):
    """Coefficients -> float RGB {n, h, w, 3}, not clamped."""
    return (F.conv_transpose2d(c, ANALYSIS.to(c.device), stride=8) + 128).permute(0, 2, 3, 1)


def quantise(c, offset):
    """Dead-zone rounding: |c| + offset, floored. offset 0.5 is plain rounding."""
    return torch.sign(c) * torch.floor(c.abs() + offset)


def coarse_forward(dc):
    """{n, 3, h, w} -> {n, 3, 16, h / 4, w / 4}."""
    n, p, h, w = dc.shape
    return F.conv2d(dc.reshape(n * p, 1, h, w), COARSE.to(dc.device), stride=4).reshape(n, p, 16, h // 4, w // 4)


def coarse_inverse(q):
    n, p, _, h, w = q.shape
    return F.conv_transpose2d(q.reshape(n * p, 16, h, w), COARSE.to(q.device), stride=4).reshape(n, p, h * 4, w * 4)


def code(coef, step, layers, offset=0.5):
    """What a decoder knows: dequantised coefficients of the first `layers` layers.

    coef {n, 192, h, w}; step {n}, offset {n} or a number, layers {n}. Returns (reconstruction, symbols q of
    the AC channels, symbols of the coarse scale {n, 3, 16, h / 4, w / 4})."""
    s = step.view(-1, 1, 1, 1)
    o = offset.view(-1, 1, 1, 1) if torch.is_tensor(offset) else offset
    keep = (LAYER.to(coef.device).view(1, -1) < layers.view(-1, 1)).float()[:, :, None, None]
    q = quantise(coef / s, o) * keep
    s5, o5 = s[..., None], (o[..., None] if torch.is_tensor(o) else o)
    qc = quantise(coarse_forward(coef[:, L.DC]) / s5, o5)
    first = (torch.arange(16, device=coef.device) == 0).float().view(1, 1, 16, 1, 1)
    qc = torch.where((layers > 1).view(-1, 1, 1, 1, 1), qc, qc * first)
    rec = q * s
    rec[:, L.DC] = coarse_inverse(qc * s5)
    q[:, L.DC] = 0
    return rec, q, qc


def companded(x):
    return torch.sign(x) * COMPAND.to(x.device)[torch.round(x.abs()).clamp(max=63).long()]


def features(rec, net_step, conditioning):
    """Input of the synthesis {n, 208, h, w} in -127..127 (conditioning 0..127); integers, as the decoder's.

    189 AC values and 6 differences of DC with the left and upper block, in steps (DC in half steps), companded."""
    s = net_step.view(-1, 1, 1, 1)
    ac = companded(rec[:, L.AC] / s)
    dc = rec[:, L.DC] * 2 / s
    left = dc - F.pad(dc, (1, 0, 0, 0), mode='replicate')[..., :-1]
    up = dc - F.pad(dc, (0, 0, 1, 0), mode='replicate')[..., :-1, :]
    cond = torch.round(conditioning * 127)[:, :, None, None].expand(-1, -1, *rec.shape[2:])
    return torch.cat([ac, companded(left), companded(up), cond], 1)
