#!/usr/bin/python3
"""Turns a checkpoint of train_array_synthesis.py into what ships: weight file, replay dump and card.

    train/finish_array.py RUN/medium.pt --name volume-1-medium --out models/weights --about 'what it was trained on' [--results results.tsv]"""
import argparse
import os

import numpy as np
import torch

import array_network as N
import cards
import export_swift as E
import replay

LICENCE = 'Apache-2.0, as the rest of Godwit. What the training data may be used for is in `train/DATA.md`.'
LIMITS = '''- What it gains on the recordings it knows halves of, it gains on few others: see the results. Train one for yours (`docs/guide-arrays.md`).
- Squared error and nothing else. A correction is at most one step, and a guess: `decode` asks for it by name.
- Slices are of the last two axes that are transformed; the third axis is seen one slice ahead and one back. Lines are not touched.'''


def replay_input(_, seed, height, width):
    """u8 {height, width, 194}: three alike slices of noise and an edge; the last position is random bytes."""
    rng = np.random.default_rng(seed)
    side = 8 * max(height, width) + 16
    base = replay.picture(rng, side)[..., 0].astype(np.float32) * 2 - 256
    slices = np.stack([base + rng.normal(0, 6, base.shape) for _ in range(3)]).round().astype(np.float32)
    x = N.features(torch.from_numpy(slices)[None])[0].permute(1, 2, 0).numpy()
    data = (128 + x[1:1 + height, 1:1 + width]).astype(np.uint8)
    data[-1, -1] = rng.integers(0, 256, data.shape[2])
    return data


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('checkpoint'); p.add_argument('--name', required=True); p.add_argument('--out', required=True); p.add_argument('--version', default='1')
    p.add_argument('--about', default='Not said.'); p.add_argument('--results'); p.add_argument('--command', action='append')
    a = p.parse_args()
    torch.set_num_threads(1)
    state = torch.load(a.checkpoint, map_location='cpu')
    net = N.make(state['size'])
    net.load_state_dict(state['ema'])
    net.set_quantised(True)
    path, size = os.path.join(a.out, a.name + '.safetensors'), state['size']
    model_id = N.export(path, net, size, a.version, a.name, f'slices of volumes, {net.macs_per_pixel() / 1000:.1f} thousand multiply-adds a sample')
    print(f'{path}: {os.path.getsize(path)} bytes, id {model_id}')
    replay.write_replay(path, net=net, make_input=replay_input, orders=(np.arange(N.INPUTS), np.arange(N.OUTPUTS)))
    history = state.get('history') or []
    cards.write_card(
        a.out, a.name, cards.read_results(a.results) if a.results else None, id=model_id, data=a.about, licence=LICENCE, limits=LIMITS,
        machine='; '.join(dict.fromkeys(h['machine'] for h in history)) or cards.MACHINE,
        what=f'The `{size}` synthesis network of arrays that were coded by wavelets (`docs/format/array.md` section 10). A residual net on the grid of\n'
             f'8x8 patches of a slice, {net.width} channels wide with {net.blocks} block{"s" * (net.blocks > 1)} of two 3x3 convolutions, in integers\n'
             '(`docs/format/network.md`). It mends decoded samples; streams do not know of it, and readers choose it.',
        rows=f'| cost | {net.macs_per_pixel():.0f} multiply-adds a sample |\n| training | {state["step"]} steps, {state["minutes"]:.1f} minutes |\n'
             f'| replay dump | `{a.name}.replay`: each layer of one small input, which C++ must equal |\n',
        how='Slices as the real coder leaves them, squared error relative to the plain decoder\'s; volumes also cut along other axes, at half\n'
            'size and with other curves of brightness. The last part imitates the integer arithmetic. What ships is the running average.\n\n'
            + cards.commands_text(a.command or [h['command'] for h in history], ''))


if __name__ == '__main__':
    main()
