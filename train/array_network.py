"""The synthesis network of arrays: inputs, network and files. docs/format/array.md section 10 is the integer arithmetic.

A slice is cut into patches of 8 x 8 samples; the residual net of swift_synthesis.py works on the grid of patches. Slices
come as integers in 1/64 of the quantiser's step."""
import json

import numpy as np
import torch
import torch.nn.functional as F

import export_swift as E
from swift_synthesis import Synthesis

SIDE, INPUTS, OUTPUTS = 8, 3 * 64 + 2, 64
UNIT = 64    # of a slice, per step
LEVELS = 128.0  # of a correction, per step
SIZES = {'small': (32, 1, 3), 'medium': (64, 2, 3), 'large': (96, 3, 3)}  # as swift_synthesis.py has them


def make(size):
    return Synthesis(size, INPUTS, OUTPUTS, LEVELS, SIZES)


def companded(x):
    a = x.abs()
    return torch.sign(x) * torch.where(a <= 64, a, 64 + torch.floor((a - 64) / 8)).clamp(max=127)


def patches(x):
    """{n, 1, h, w} -> {n, 64, h / 8, w / 8}"""
    n, _, h, w = x.shape
    return x.view(n, h // SIDE, SIDE, w // SIDE, SIDE).permute(0, 2, 4, 1, 3).reshape(n, 64, h // SIDE, w // SIDE)


def unpatched(x):
    n, _, h, w = x.shape
    return x.view(n, SIDE, SIDE, h, w).permute(0, 3, 1, 4, 2).reshape(n, 1, h * SIDE, w * SIDE)


def features(slices):
    """The slices before, at and after the one in question, {n, 3, h, w}, sides multiples of 8 -> {n, 194, h / 8, w / 8},
    integers in -127..127."""
    half = lambda x: companded(torch.floor((x + 1) / 2))
    here = patches(slices[:, 1:2])
    mean = torch.floor((here.sum(1, keepdim=True) + 32) / 64)
    left = mean - F.pad(mean, (1, 0, 0, 0), mode='replicate')[..., :-1]
    above = mean - F.pad(mean, (0, 0, 1, 0), mode='replicate')[..., :-1, :]
    before, after = patches(slices[:, 0:1]) - here, patches(slices[:, 2:3]) - here
    return torch.cat([half(here - mean), half(before), half(after), companded(left), companded(above)], 1)


def correction(net, slices):
    """{n, 1, h, w}, in 1/64 of the step."""
    return unpatched(net(features(slices))) * UNIT


def export(path, net, size, version, name, description):
    rows = net.integer_layers()
    tensors, layers = {}, []
    for i, (layer, w, b, mult, shift, residual, output) in enumerate(rows):
        for key, a in (('weight', w), ('bias', b), ('mult', mult), ('shift', shift)):
            tensors[f'synthesis.{layer}.{key}'] = np.ascontiguousarray(a)
        layers.append({'op': 'conv', 'name': layer, 'input': 'in' if i == 0 else rows[i - 1][0], 'kernel': w.shape[1], 'groups': 1,
                       'out': w.shape[0], 'residual': residual, 'output': output, 'input_zero_point': 128 if i == 0 else 0})
    graph = {'input_channels': INPUTS, 'input_zero_point': 128, 'layers': layers}
    return E.write_safetensors(path, tensors, {
        'godwit.codec': 'packet', 'godwit.kind': 'synthesis', 'godwit.synthesis.size': size, 'godwit.synthesis.stream': '0' * 16,
        'godwit.name': name, 'godwit.version': version, 'godwit.description': description,
        'network.synthesis': json.dumps(graph, separators=(',', ':'))})
