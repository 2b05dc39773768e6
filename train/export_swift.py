"""Writes the safetensors files that the C++ reads: the stream model and the synthesis networks.

    export_swift.py FILE      a stream model whose contexts nothing has been fitted to, for tests of the scripts"""
import hashlib
import json
import os
import struct
import sys

import numpy as np

import swift_layout as L

TYPES = {'int8': 'I8', 'uint8': 'U8', 'int16': 'I16', 'uint16': 'U16', 'int32': 'I32', 'float32': 'F32'}


def write_safetensors(path, tensors, metadata):
    """Wider types first, so that every tensor is aligned. Returns the model id (first 8 bytes of SHA-256, hex)."""
    header, data = {'__metadata__': metadata}, b''
    for name, a in sorted(tensors.items(), key=lambda kv: (-kv[1].dtype.itemsize, kv[0])):
        a = np.ascontiguousarray(a)
        header[name] = {'dtype': TYPES[a.dtype.name], 'shape': list(a.shape), 'data_offsets': [len(data), len(data) + a.nbytes]}
        data += a.tobytes()
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    blob = struct.pack('<Q', len(text)) + text + data
    with open(path, 'wb') as f:
        f.write(blob)
    return hashlib.sha256(blob).digest()[:8].hex()


def read_safetensors(path):
    """(tensors, metadata) of a file that write_safetensors wrote."""
    with open(path, 'rb') as f:
        blob = f.read()
    size, = struct.unpack('<Q', blob[:8])
    header, data = json.loads(blob[8:8 + size]), blob[8 + size:]
    metadata = header.pop('__metadata__', {})
    names = {v: k for k, v in TYPES.items()}
    return {name: np.frombuffer(data[t['data_offsets'][0]:t['data_offsets'][1]], names[t['dtype']]).reshape(t['shape'])
            for name, t in header.items()}, metadata


def model_id(path):
    """16 hex digits: how streams and the registry name a file."""
    with open(path, 'rb') as f:
        return hashlib.sha256(f.read()).digest()[:8].hex()


def transform_tensors():
    d8, d4 = L.dct(8), L.dct(4)
    r = lambda a, bits, t: np.round(a * 2 ** bits).astype(t).reshape(-1)
    return {
        'transform.colour': r(L.COLOUR, 14, np.int32), 'transform.colour_inverse': r(L.COLOUR.T, 13, np.int32),
        'transform.forward': r(d8, 15, np.int16), 'transform.inverse': r(d8.T, 14, np.int16),
        'transform.coarse_forward': r(d4, 14, np.int16), 'transform.coarse_inverse': r(d4.T, 14, np.int16),
    }


# As codecs/image/swift_model.h.
KINDS, ZERO_CLASSES, SIGN_LEVELS, MAG_KINDS, MAG_CLASSES, UNARY = 18, 20, 6, 9, 20, 6
GROUPS, FLAG_CLASSES, CELL_CLASSES = 27, 20, 14
CONTEXTS = KINDS * ZERO_CLASSES * 3 + KINDS * SIGN_LEVELS + MAG_KINDS * MAG_CLASSES * UNARY + GROUPS * FLAG_CLASSES + (GROUPS + 3) * CELL_CLASSES
UNIT = 64  # of a sum of magnitudes: what an expected magnitude of 1 is


def plain_context():
    """Untrained weights, good enough to record training data with."""
    full = lambda shape, v, t: np.full(shape, v, t)
    return {
        'context.cell.weight': full((GROUPS, 6), 2, np.uint8), 'context.cell.bias': full(GROUPS, 1, np.uint16),
        'context.flag.weight': full((GROUPS, 10), 2, np.uint8), 'context.flag.bias': full(GROUPS, 1, np.uint16),
        'context.symbol.weight': full((192, 11), 4, np.uint8), 'context.symbol.bias': full(192, 4, np.uint16),
        'context.mean.weight': full((192, 6), 0, np.int16),
        'context.coarse_flag.weight': full((3, 4), 2, np.uint8), 'context.coarse_flag.bias': full(3, 1, np.uint16),
        'context.coarse.weight': full((48, 6), 6, np.uint8), 'context.coarse.bias': full(48, 4, np.uint16),
        'context.coarse_mean.weight': full((48, 4), 0, np.int16),
        'context.coarse_dc.weight': np.tile(np.array([192, 192, -128, 0], np.int16), (3, 1)),
        'context.start': full((3, CONTEXTS), 32768, np.uint16),
    }


def export_stream_model(path, rounding, context, extra=None):
    t = transform_tensors()
    t['rounding'] = np.array([rounding], np.uint8)
    t.update(context)
    return write_safetensors(path, t, {'godwit.codec': 'swift', **(extra or {})})


def synthesis_input_order():
    """File channel -> channel of swift_transform.features()."""
    order = np.zeros(208, np.int64)
    for p in range(3):
        order[p * 64] = 189 + p  # DC less that of the block to the left
        for u in range(8):
            for v in range(8):
                if u or v:
                    order[p * 64 + u * 8 + v] = L.AC.index(p * 64 + v * 8 + u)
        order[192 + p] = 192 + p
    order[195:] = np.arange(195, 208)
    return order


def synthesis_output_order():
    """File channel -> channel of the torch network's output."""
    return np.array([p * 64 + v * 8 + u for p in range(3) for u in range(8) for v in range(8)])


def export_synthesis(path, net, stream_id, size, version, description='', name=None):
    """`size` is one of SIZES of swift_synthesis.py; `name` is what `godwit models` shows."""
    rows = net.integer_layers()
    order, out_order = synthesis_input_order(), synthesis_output_order()
    tensors, layers = {}, []
    for i, (layer, w, b, mult, shift, residual, output) in enumerate(rows):
        if i == 0:
            w = w[..., order]
        if i == len(rows) - 1:
            w, b, mult, shift = w[out_order], b[out_order], mult[out_order], shift[out_order]
        for key, a in (('weight', w), ('bias', b), ('mult', mult), ('shift', shift)):
            tensors[f'synthesis.{layer}.{key}'] = np.ascontiguousarray(a)
        layers.append({'op': 'conv', 'name': layer, 'input': 'in' if i == 0 else rows[i - 1][0], 'kernel': w.shape[1],
                       'groups': 1, 'out': w.shape[0], 'residual': residual, 'output': output,
                       'input_zero_point': 128 if i == 0 else 0})
    graph = {'input_channels': 208, 'input_zero_point': 128, 'layers': layers}
    steps = np.array([L.conditioning(i / 32 - 1, 8)[:6] for i in range(352)])
    flags = np.array([L.conditioning(4, n)[6:] for n in range(9)])
    tensors['input.compand'] = L.compand_table().astype(np.uint8)
    tensors['input.step'] = (128 + np.round(steps * 127)).astype(np.uint8)
    tensors['input.layers'] = (128 + np.round(flags * 127)).astype(np.uint8)
    tensors['input.step_floor'] = np.array([0 if f == 0 else round(32 * (np.log2(f) + 1)) for f in L.STEP_FLOOR], np.uint16)
    return write_safetensors(path, tensors, {
        'godwit.codec': 'swift', 'godwit.kind': 'synthesis', 'godwit.synthesis.size': size,
        'godwit.synthesis.stream': stream_id, 'godwit.name': name or f'swift-{size}', 'godwit.version': version,
        'godwit.description': description, 'network.synthesis': json.dumps(graph, separators=(',', ':'))})


def import_synthesis(path, net):
    """The reverse of export_synthesis: sets the weights of `net` to those of a shipped file, whose checkpoint may be
    gone. In quantised mode it then computes what the file does: the scale of a channel follows from its largest
    weight, which is 63."""
    import torch
    tensors, metadata = read_safetensors(path)
    order, out_order = synthesis_input_order(), synthesis_output_order()
    units = net.integer_units()
    for i, (layer, conv, scale_in, out_levels) in enumerate(units):
        w, b, mult, shift = (tensors[f'synthesis.{layer}.{key}'].astype(np.float64) for key in ('weight', 'bias', 'mult', 'shift'))
        acc_unit = mult * 2.0 ** -shift / out_levels  # value of one accumulator step
        w = w * (acc_unit / scale_in)[:, None, None, None]
        b = b * acc_unit
        if i == 0:
            w = w[..., np.argsort(order)]
        if i == len(units) - 1:
            back = np.argsort(out_order)
            w, b = w[back], b[back]
        with torch.no_grad():
            conv.weight.copy_(torch.from_numpy(w.transpose(0, 3, 1, 2).copy()))
            conv.bias.copy_(torch.from_numpy(b))
    m = {key: metadata['godwit.' + key] for key in ('synthesis.stream', 'synthesis.size', 'version', 'description', 'name')}
    again = export_synthesis(os.devnull, net, m['synthesis.stream'], m['synthesis.size'], m['version'], m['description'], m['name'])
    if again != model_id(path):
        raise SystemExit(f'{path}: what was read from it would be exported to another file')

if __name__ == '__main__':
    export_stream_model(sys.argv[1], 108, plain_context())
