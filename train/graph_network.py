"""Any shipped synthesis network of pictures, in torch, from its file alone: what can teach others.

It computes what docs/format/network.md says but for rare roundings of a half, for graphs of convolutions."""
import json

import numpy as np
import torch
import torch.nn.functional as F

import export_swift as E
from swift_synthesis import OUT


class GraphNetwork:
    def __init__(self, path):
        tensors, metadata = E.read_safetensors(path)
        self.layers = json.loads(metadata['network.synthesis'])['layers']
        self.order, self.out_order = E.synthesis_input_order(), np.argsort(E.synthesis_output_order())
        f32 = lambda a: torch.from_numpy(np.ascontiguousarray(a).astype(np.float32))
        self.convs = {}
        for layer in self.layers:
            if layer['op'] != 'conv':
                raise SystemExit(f'{path}: layer {layer["name"]} is a {layer["op"]}, which cannot teach')
            w, b, mult, shift = (tensors[f'synthesis.{layer["name"]}.{key}'].astype(np.float64) for key in ('weight', 'bias', 'mult', 'shift'))
            scale = mult * 2.0 ** -shift
            self.convs[layer['name']] = f32((w * scale[:, None, None, None]).transpose(0, 3, 1, 2)), f32(b * scale)

    def __call__(self, features):
        """As Synthesis: integer features {n, 208, h, w} -> correction in steps {n, 192, h, w}."""
        values = {'in': features[:, self.order]}
        for layer in self.layers:
            x, p = values[layer['input']], layer['kernel'] // 2
            x = F.conv2d(F.pad(x, (p, p, p, p), mode='replicate') if p else x, *self.convs[layer['name']], groups=layer['groups']).round()
            x = x + values[layer['residual']] if layer.get('residual') else x
            values[layer['name']] = x.clamp(-128, 127) if layer['output'] == 's8' else x.clamp(0, 255)
        return values[self.layers[-1]['name']][:, self.out_order] / OUT
