#!/usr/bin/python3
"""Writes a replay dump: one small input of an exported network and the integers that each layer makes of it.

    replay.py models/weights/swift-1-small.safetensors [--checkpoint small.pt] [--out FILE]

The layers are computed here from the file alone, in int64, as docs/format/network.md says: a second opinion that
tests/models/replay_test.cc holds the C++ to, layer by layer. With a checkpoint, the torch network that imitates
the integers while training is compared too; it works in float, so it may round a tie to the other side."""
import argparse
import json
import os

import numpy as np
import torch

import export_swift as E
import swift_layout as L
import swift_transform as T
from swift_synthesis import Synthesis

MAX_BYTES = 56000
STEP_INDEX, LAYERS = 192, 8  # step 32: four fifths of the latents of the picture below are zero


def conv(x, layer, t):
    weight, bias = t('weight').astype(np.int64), t('bias').astype(np.int64)
    mult, shift = t('mult').astype(np.int64), t('shift').astype(np.int64)
    k, groups, out = layer['kernel'], layer['groups'], layer['out']
    n, per = x.shape[2] // groups, out // groups
    zero = layer['input_zero_point']
    most = np.abs(bias - zero * weight.sum((1, 2, 3))) + 255 * np.abs(weight).sum((1, 2, 3))
    assert (most < 2**31).all() and ((most * mult + (1 << (shift - 1))) >> shift < 2**31).all(), 'may overflow'
    h, w = x.shape[:2]
    acc = np.broadcast_to(bias, (h, w, out)).copy()
    for ky in range(k):
        for kx in range(k):
            y = np.clip(np.arange(h) + ky - (k - 1) // 2, 0, h - 1)
            z = np.clip(np.arange(w) + kx - (k - 1) // 2, 0, w - 1)
            moved = x[y][:, z]
            for g in range(groups):
                acc[..., g * per:(g + 1) * per] += moved[..., g * n:(g + 1) * n] @ weight[g * per:(g + 1) * per, ky, kx].T
    assert np.abs(acc).max() < 2**31
    return (acc * mult + (np.int64(1) << (shift - 1))) >> shift


def integer_layers(tensors, metadata, network, data):
    """Values of every layer, by name and in order; u8 {y, x, channel} -> u8 or s8."""
    graph = json.loads(metadata[f'network.{network}'])
    assert data.shape[2] == graph['input_channels']
    values = {'in': data.astype(np.int64) - graph['input_zero_point']}
    signed = {'in': graph['input_zero_point'] == 128}
    for layer in graph['layers']:
        name, op, x = layer['name'], layer['op'], values[layer['input']]
        is_signed = layer['output'] == 's8' if 'output' in layer else signed[layer['input']]
        if op == 'conv':
            r = conv(x, layer, lambda key: tensors[f'{network}.{name}.{key}'])
            if layer.get('residual'):
                r = r + values[layer['residual']]
            r = np.clip(r, -128, 127) if is_signed else np.clip(r, 0, 255)
        elif op == 'lut':
            table = tensors[f'{network}.{name}.lut'].astype(np.int64)
            r = table[x + 128 * signed[layer['input']]] - 128 * is_signed
        elif op == 'depth_to_space':
            b, (h, w, c) = layer['block'], x.shape
            r = x.reshape(h, w, b, b, c // b**2).transpose(0, 2, 1, 3, 4).reshape(h * b, w * b, c // b**2)
        elif op == 'shuffle':
            h, w, c = x.shape
            r = x.reshape(h, w, layer['groups'], c // layer['groups']).swapaxes(2, 3).reshape(h, w, c)
        elif op == 'add':
            r, is_signed = np.minimum(x + values[layer['other']], 255), False
        else:
            raise SystemExit(f'{name}: unknown op {op}')
        values[name], signed[name] = r, is_signed
    del values['in']
    return {name: v.astype(np.int8 if signed[name] else np.uint8) for name, v in values.items()}


def picture(rng, side=96):
    """u8 {side, side, 3}: noise of about the spectrum of photographs, most of it in all colours alike, and a slanted edge."""
    f = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None]) + 0.5 / side
    noise = np.fft.ifft2(np.fft.fft2(rng.normal(size=(4, side, side))) / f**1.2).real
    noise /= noise.std((1, 2), keepdims=True)
    y, x = np.mgrid[:side, :side]
    edge = np.where(y + 0.6 * x > side * 0.75, 40.0, -30.0)
    return np.clip(128 + 30 * noise[3] + edge + 14 * noise[:3], 0, 255).round().astype(np.uint8).transpose(1, 2, 0)


def replay_input(tensors, seed, height, width):
    """u8 {height, width, 208} as a decoder makes it from a picture; the last position is random bytes."""
    rng = np.random.default_rng(seed)
    step = torch.tensor([2.0 ** (STEP_INDEX / 32 - 1)])
    rec, _, _ = T.code(T.coefficients(picture(rng)[None]), step, torch.tensor([LAYERS]), 0.42)
    x = T.features(rec, step, torch.zeros(1, 13))[0].permute(1, 2, 0).numpy()
    data = (128 + x[2:2 + height, 2:2 + width, E.synthesis_input_order()]).astype(np.uint8)
    data[..., 195:201], data[..., 201:] = tensors['input.step'][STEP_INDEX], tensors['input.layers'][LAYERS]
    data[-1, -1] = rng.integers(0, 256, data.shape[2])
    return data


def compare_with_torch(net, data, got, orders):
    """The network that was trained against its integers; stops where they are not the same network. `orders`: channels of the
    file's input and output as the network has them."""
    x = np.zeros(data.shape, np.float32)
    x[..., orders[0]] = data.astype(np.float32) - 128
    net.set_quantised(True)
    with torch.no_grad():
        y = net(torch.tensor(x).permute(2, 0, 1)[None])[0].permute(1, 2, 0).numpy() * net.levels
    d = np.abs(np.round(y)[..., orders[1]] - got)
    print(f'torch and integers: mean difference {d.mean():.5f} levels, largest {d.max():.0f}, '
          f'{(d > 0).mean():.3%} differ, {(d > 1).mean():.3%} by more than one; mean magnitude {np.abs(got.astype(int)).mean():.2f}')
    if (d > 1).mean() > 0.01:
        raise SystemExit('the exported network is not the one that was trained')


def dump_path(path):
    return path[:-len('.safetensors')] + '.replay'


def write_replay(path, out=None, net=None, network='synthesis', seed=1, make_input=replay_input, orders=None):
    """`make_input(tensors, seed, height, width)` and `orders` are of swift unless given."""
    tensors, metadata = E.read_safetensors(path)
    graph = json.loads(metadata[f'network.{network}'])
    per_position = graph['input_channels'] + sum(l.get('out', 0) for l in graph['layers'])
    height, width = 7, 6
    while height * width * per_position > MAX_BYTES:  # `large`
        height, width = height - 1, width - 1
    data = make_input(tensors, seed, height, width)
    layers = integer_layers(tensors, metadata, network, data)
    for name, v in layers.items():
        if np.ptp(v.astype(int)) == 0:
            raise SystemExit(f'{path}: layer {name} is constant; a replay of it would show nothing')
    if net is not None:
        compare_with_torch(net, data, list(layers.values())[-1], orders or (E.synthesis_input_order(), E.synthesis_output_order()))
    dump = {'input': data, **{f'layer.{name}': v for name, v in layers.items()}}
    out = out or dump_path(path)
    E.write_safetensors(out, dump, {'godwit.kind': 'replay', 'godwit.replay.network': network, 'godwit.replay.seed': str(seed),
                                    'godwit.replay.file': os.path.basename(path), 'godwit.replay.model': E.model_id(path)})
    print(f'{out}: {os.path.getsize(out)} bytes, {height}x{width} positions, {len(layers)} layers')


def load_checkpoint(path):
    """(network with the averaged weights, the checkpoint)."""
    if not os.path.isfile(path):
        raise SystemExit(f'{path}: no such checkpoint')
    state = torch.load(path, map_location='cpu')
    net = Synthesis(state['size'])
    net.load_state_dict(state['ema'])
    net.set_quantised(True)
    return net, state


def main():
    p = argparse.ArgumentParser()
    p.add_argument('network'); p.add_argument('--checkpoint'); p.add_argument('--out'); p.add_argument('--seed', type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(1)
    write_replay(a.network, a.out, load_checkpoint(a.checkpoint)[0] if a.checkpoint else None, seed=a.seed)


if __name__ == '__main__':
    main()
