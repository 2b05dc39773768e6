#!/usr/bin/python3
"""Turns what was fitted and trained into what ships: weight files, their replay dumps and their cards.

    finish.py --context work/swift.safetensors --small run/small.pt --medium run/medium.pt \\
              --version 1 --weights models/weights [--results results.tsv] \\
              [--minutes medium=146] [--command 'medium=train_synthesis.py ...']

Checkpoints know how they were made; --minutes and --command are for those that do not, and for the context fit
(name `stream`). Run it again at any time: the same inputs give the same files, and a card keeps its results
until --results brings new ones."""
import argparse
import os

import torch

import cards
import export_swift as E
import replay
from swift_synthesis import SIZES


def pairs(items, known, option):
    """NAME=TEXT... -> {name: [text, ...]}"""
    out = {}
    for item in items:
        name, mark, text = item.partition('=')
        if not mark or name not in known:
            raise SystemExit(f'{option} {item}: not NAME=VALUE with a NAME of {", ".join(known)}')
        out.setdefault(name, []).append(text)
    return out


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('--context', required=True, help='what fit_contexts.py wrote')
    for size in SIZES:
        p.add_argument('--' + size, help=f'checkpoint of train_synthesis.py --size {size}')
    p.add_argument('--version', default='1'); p.add_argument('--weights', required=True)
    p.add_argument('--results', help='.tsv with a header line or .json list of objects: rows of the cards\' tables; those '
                   'with a column `synthesis` go to the card of that size, and all of them to the stream model\'s')
    p.add_argument('--minutes', action='append', default=[], metavar='NAME=MINUTES')
    p.add_argument('--command', action='append', default=[], metavar='NAME=COMMAND', help='may be given again: one line each')
    p.add_argument('--not-default', action='store_true', help='do not mark as the model to encode with')
    a = p.parse_args()
    torch.set_num_threads(1)
    names = ['stream', *SIZES]
    minutes, commands = pairs(a.minutes, names, '--minutes'), pairs(a.command, names, '--command')
    if not os.path.isfile(a.context):
        raise SystemExit(f'{a.context}: no such file')
    results = cards.read_results(a.results) if a.results else None
    checkpoints = {size: replay.load_checkpoint(getattr(a, size)) for size in SIZES if getattr(a, size)}
    for size, (net, state) in checkpoints.items():
        if state['size'] != size:
            raise SystemExit(f'{getattr(a, size)}: is a {state["size"]} network, not {size}')
    os.makedirs(a.weights, exist_ok=True)
    at = lambda name: os.path.join(a.weights, name + '.safetensors')

    stream = f'swift-{a.version}'
    tensors, _ = E.read_safetensors(a.context)
    metadata = {'godwit.codec': 'swift', 'godwit.kind': 'stream', 'godwit.name': stream, 'godwit.version': a.version,
                'godwit.description': 'colour photographs and grey, all rates; 8x8 transform, lite contexts'}
    if not a.not_default:
        metadata['godwit.default'] = '1'
    stream_id = E.write_safetensors(at(stream), tensors, metadata)
    print(f'{at(stream)}: {os.path.getsize(at(stream))} bytes, id {stream_id}')
    cards.write_stream(a.weights, stream, stream_id, minutes.get('stream'), commands.get('stream'), results)

    for size, (net, state) in checkpoints.items():
        name = f'{stream}-{size}'
        net_id = E.export_synthesis(at(name), net, stream_id, size, a.version, name=name,
                                    description=f'{net.macs_per_pixel() / 1000:.1f} thousand multiply-adds a pixel')
        print(f'{at(name)}: {os.path.getsize(at(name))} bytes, id {net_id}')
        replay.write_replay(at(name), net=net)
        cards.write_synthesis(a.weights, name, net_id, stream_id, net, state, minutes.get(size), commands.get(size), results)

    for size in SIZES:  # a network that was shipped for another stream model would never be found
        if size not in checkpoints and os.path.exists(at(f'{stream}-{size}')):
            if E.read_safetensors(at(f'{stream}-{size}'))[1].get('godwit.synthesis.stream') != stream_id:
                raise SystemExit(f'{at(f"{stream}-{size}")} is for another stream model: give --{size} too, or remove it')


if __name__ == '__main__':
    main()
