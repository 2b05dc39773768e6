"""The cards beside shipped weights, models/weights/*.md: what a file is, what it was made from and how it does."""
import json
import os
import re

import export_swift as E

MACHINE = '2 cores of an Intel Xeon with AVX-512, CPU only (Debian 12, torch 1.13), shared with other work'
DATA = '''The training photographs described in the data README (its substance is `train/DATA.md`): freely licensed (CC0, public
domain, "free to use", Unsplash, Pexels, Pixabay, CC BY, CC BY-SA), and pages rendered for the pack. Every n-th picture, n = count / 12,
is for validation only. No Kodak picture is among them; Kodak is for evaluation.'''
LICENCE = '''Apache-2.0, as the rest of Godwit. Training data: only pictures that their sources state to be under the licences above; which
statements are the weakest, and the credits that CC BY and CC BY-SA ask for, are in `train/DATA.md`.'''
NO_RESULTS = 'Not measured yet: `train/finish.py --results` puts the table here.'

CARD = '''# {name}

{what}

| | |
|---|---|
| file | `{name}.safetensors`, {size:,} bytes |
| id | `{id}` |
{rows}
## How it was made

{how}

Machine: {machine}.

## Data

{data}

## Licence

{licence}

## Results

<!-- results -->
{results}
<!-- /results -->

## Known limits

{limits}

## Tensors

| name | type | shape |
|---|---|---|
{tensors}
'''


def read_results(path):
    """A list of dicts, in the order of the file's columns."""
    if not os.path.isfile(path):
        raise SystemExit(f'{path}: no such file')
    with open(path) as f:
        if path.endswith('.json'):
            rows = json.load(f)
        else:
            lines = [line.rstrip('\n').split('\t') for line in f if line.strip()]
            rows = [dict(zip(lines[0], line)) for line in lines[1:]]
    if not rows or not all(isinstance(r, dict) for r in rows):
        raise SystemExit(f'{path}: no rows')
    return rows


def table(rows):
    columns = list(dict.fromkeys(c for r in rows for c in r))
    line = lambda cells: '| ' + ' | '.join(str(c) for c in cells) + ' |'
    return '\n'.join([line(columns), '|' + '---|' * len(columns), *(line(r.get(c, '') for c in columns) for r in rows)])


def write_card(folder, name, results, **fields):
    weights, path = os.path.join(folder, name + '.safetensors'), os.path.join(folder, name + '.md')
    if results:
        shown = table(results)
    else:  # what an earlier run put there stays
        old = open(path).read() if os.path.exists(path) else ''
        found = re.search('<!-- results -->\n(.*?)\n<!-- /results -->', old, re.S)
        shown = found.group(1) if found else NO_RESULTS
    tensors = '\n'.join(f'| `{k}` | {E.TYPES[t.dtype.name]} | {" x ".join(map(str, t.shape))} |'
                        for k, t in sorted(E.read_safetensors(weights)[0].items()))
    with open(path, 'w') as f:
        f.write(CARD.format(name=name, size=os.path.getsize(weights), results=shown, tensors=tensors, **{'data': DATA, 'licence': LICENCE, **fields}))
    print(path)


def commands_text(commands, otherwise):
    return '```sh\n' + '\n'.join(commands or [otherwise]) + '\n```'


def write_stream(folder, name, model_id, minutes, commands, results):
    write_card(
        folder, name, results, id=model_id, machine=MACHINE,
        what='The stream model of the `swift` picture codec (`docs/format/image.md` section 6): transforms and the\n'
             '`lite` context model. Encoders write its id into every file, and every decoder needs it.',
        rows='| transforms | orthonormal 8x8 DCT of opponent colours, 4x4 DCT of the DC; fixed, not trained |\n'
             '| contexts | integer weights, 3228 starting probabilities for each of 3 step ranges |\n'
             + (f'| time | {" + ".join(minutes)} minutes |\n' if minutes else ''),
        how='Context weights by gradient descent on the code length, then counts\n'
            '(`train/fit_contexts.py`).\n\n' + commands_text(
                commands, 'train/fit_contexts.py --data IMAGES --record RECORD_CONTEXTS --work WORK --out WORK/swift.safetensors'),
        limits='- The transform is a plain DCT: what a learned analysis gains is not here yet.\n'
               '- Contexts are fitted to photographs, and to few pages of text and drawings.\n'
               '- Three step ranges share all weights and differ in starting probabilities only.')


def write_entropy(folder, name, model_id, stream_id, run, results):
    """`run`: kind, hidden, crops, size, steps, efforts, synthesis, minutes, machine and command of fit_full.py."""
    widths = ', '.join(f'{min(run["hidden"], most)} ({what})' for most, what in ((64, 'luma'), (32, 'chroma'), (16, 'cells and coarse DC')))
    signs = f'{run["odd_hidden"]} for signs' if run['odd_hidden'] else 'none for signs'
    aimed = f' aimed at `{os.path.basename(run["synthesis"])}`' if run['synthesis'] else ''
    write_card(
        folder, name, results, id=model_id, machine=run['machine'],
        what=f'The weights of `{run["kind"]}` entropy coding for streams of model `{stream_id}` (`docs/format/entropy.md` section 6): small integer\n'
             f'networks that say how likely each decision is, and where its adaptive parts start. Streams with `{run["kind"]}` name it.',
        rows='| networks | 17 of bands, 17 of the flags of cells, 6 of the coarse scale; one hidden layer of '
             f'{widths}, {signs} |\n'
             '| adaptive | 297 mixers of five opinions, with their starting weights and probabilities |\n',
        how='Each network by itself on the code length of recorded latents, in float, then rounded to 16 bits; the adaptive parts by coding\n'
            f'the same crops with the integers. {run["crops"]} crops of {run["size"]}x{run["size"]} at step indices 30 to 334, most of them from 150 on; symbols of\n'
            f'efforts {run["efforts"]}, crop by crop{aimed}; up to {run["steps"]} steps of 1024 places a network. {run["minutes"]:.0f} minutes. Results: Kodak, whole files, one\n'
            'thread, entropy decoding alone (`bench/repack_bench --threads 1 --cpu`).\n\n' + commands_text([run['command']], ''),
        limits='- Fitted to photographs at up to about 1 bit/pixel; above that it saves less.\n'
               '- Networks were not trained together with the mixers.')


def write_synthesis(folder, name, model_id, stream_id, net, state, minutes, commands, results):
    history = state.get('history') or []
    total = ' + '.join(minutes) if minutes else f'{state["minutes"]:.1f}' if state.get('minutes') else 'not recorded'
    machine = '; '.join(dict.fromkeys(h['machine'] for h in history)) if history else MACHINE
    size, origin = state['size'], state.get('origin')
    started = f', from the weights of `{origin}` on' if origin else ''
    error = f'squared error to what `{state["teacher"]}` answers,' if state.get('teacher') else 'squared error in coefficients'
    write_card(
        folder, name, [r for r in results or [] if r.get('synthesis', size) == size], id=model_id, machine=machine,
        what=f'The `{size}` synthesis network of the `swift` picture codec, for streams of model `{stream_id}`. A residual net\n'
             f'on the grid of 8x8 blocks, {net.width} channels wide, blocks of a 3x3 and a {net.second}x{net.second} convolution: {net.blocks}, in integers\n'
             '(`docs/format/network.md`). It refines dequantised coefficients, at all rates and numbers of layers. Decoders choose it.',
        rows=f'| cost | {net.macs_per_pixel():.0f} multiply-adds a pixel |\n'
             f'| training | {state["step"]} steps, {total} minutes{started} |\n'
             f'| replay dump | `{name}.replay`: each layer of one small input, which C++ must equal |\n',
        how=f'Hard-rounded latents of the fixed analysis; {error} relative to the plain inverse; each crop with its\n'
            'own step, dead zone and layers. The last part imitates the integer arithmetic. What ships is the running average.\n\n'
            + commands_text(commands or [h['command'] for h in history],
                            f'train/train_synthesis.py --data IMAGES --kodak KODAK --size {size} --minutes {total} --out {size}.pt'),
        limits='- Trained for squared error in RGB and nothing else; more training still gains (`train/BACKLOG.md`).\n'
               '- Steps below 5 come up in few of the crops, and fewer than eight layers in a fifth.\n'
               '- Corrections are limited to two steps of a coefficient. Grey pictures run through the colour network.')


def write_oriented(folder, name, model_id, stream_id, size, macs, origin, before, history, results):
    """`before`: how the network was trained that this is made of; `history`: how the sums came that the last layer was solved from."""
    spent = lambda lines: f'{sum(h["minutes"] for h in lines):.1f} minutes'
    trained = f'That network was trained in {spent(before)}:\n\n{commands_text([h["command"] for h in before], "")}\n\n' if before else 'That network has a card of its own. '
    write_card(
        folder, name, results, id=model_id, machine='; '.join(dict.fromkeys(h['machine'] for h in before + history)),
        what=f'The `{size}` synthesis network of the `swift` picture codec, for streams of model `{stream_id}`: the eight orientations\n'
             f'(mirrored, turned) of the network `{origin}` side by side as groups, and a last layer that weighs the hidden channels of all, in\n'
             'integers (`docs/format/network.md`). It refines dequantised coefficients, at all rates and numbers of layers. Decoders choose it.',
        rows=f'| cost | {macs:.0f} multiply-adds a pixel |\n'
             f'| replay dump | `{name}.replay`: each layer of one small input, which C++ must equal |\n',
        how=f'{trained}The last layer by least squares, {spent(history)} with what makes the symbols of higher efforts:\n\n' + commands_text([h['command'] for h in history], ''),
        limits='- Eight times the cost of the network that it is made of.\n'
               '- Corrections are limited to two steps of a coefficient. Grey pictures run through the colour network.')
