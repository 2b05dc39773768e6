"""The networks of the `full` entropy model in float, their training, and how they become integers."""
import numpy as np
import torch

F = torch.nn.functional
LOGITS = 4
LIMIT = 3.9  # of weights, so that they fit 16 bits


class Network(torch.nn.Module):
    """Inputs in levels: `common` with their sign for sign logits and without it for the others, `even` and `odd` for one of the two.
    Values come in order; `flag` says whether any is not zero. `odd_hidden`, 16 or 0, is of signs."""

    def __init__(self, common, even, odd, values, flag, hidden, odd_hidden):
        super().__init__()
        self.values, self.flag, self.odd_hidden = values, flag, odd_hidden
        self.a, self.out = torch.nn.Linear(common + even, hidden), torch.nn.Linear(hidden, int(flag) + LOGITS * values)
        if values:
            if odd_hidden:
                self.oa = torch.nn.Linear(common + odd, odd_hidden, bias=False)
                self.ob = torch.nn.Linear(odd_hidden, values, bias=False)
            self.os = torch.nn.Linear(common + odd, values, bias=False)
            torch.nn.init.zeros_(self.os.weight)
            self.ar = torch.nn.Parameter(torch.zeros(LOGITS * values, values))
            self.aro, self.sg = torch.nn.Parameter(torch.zeros(values, values)), torch.nn.Parameter(torch.zeros(3))
            self.register_buffer('mask', torch.tril(torch.ones(values, values), -1))

    def forward(self, common, even, odd, v):
        """Logits of the flag {batch}, of values {batch, 4, values}, and that they are positive."""
        c, n = common.float() / 32, self.values
        h = torch.relu(self.a(torch.cat([c.abs(), even.float() / 32], 1))).clamp(max=15.9)
        q = self.out(h)
        flag = q[:, 0] if self.flag else None
        if not n:
            return flag, None, None
        m = v.abs()
        lv = torch.clamp(torch.round(16 * torch.log2(1 + m.clamp(max=255))), max=127) / 32
        q = q[:, int(self.flag):].view(-1, LOGITS, n) + torch.einsum('bj,kij->bki', lv, self.ar.view(LOGITS, n, n) * self.mask)
        x = torch.cat([c, odd.float() / 32], 1)
        sign = self.os(x) + (torch.sign(v) * lv) @ (self.aro * self.mask).t()
        if self.odd_hidden:
            sign = sign + self.ob(F.hardtanh(self.oa(x)))
        return flag, q, sign * (1 + self.sg[0] * (m == 2) + self.sg[1] * (m == 3) + self.sg[2] * (m > 3))


def bits(net, common, even, odd, flag, v):
    """What flags, zeros, magnitudes and signs cost: {batch, 4}."""
    bce = lambda logit, y: F.binary_cross_entropy_with_logits(logit, y, reduction='none')
    flags, q, sign = net(common, even, odd, v)
    none = torch.zeros(len(even))
    cost = bce(flags, flag) if net.flag else none
    if not net.values:
        return torch.stack([cost, none, none, none], 1) / np.log(2)
    m = v.abs()
    on, implied = torch.ones_like(m), torch.zeros_like(m, dtype=torch.bool)
    if net.flag:  # the last of a so far empty block cannot be zero
        on, implied[:, -1] = flag[:, None].expand_as(m), (torch.cumsum(m, 1) - m)[:, -1] == 0
    zero = bce(q[:, 0], (m > 0).float()) * ~implied * on
    size = bce(q[:, 1], (m > 1).float()) * (m > 0) * on + bce(q[:, 2], (m > 3).float()) * (m > 1) * on + bce(q[:, 3], (m > 2).float()) * ((m > 1) & (m < 4)) * on
    size = size + (m > 3) * (2 * torch.floor(torch.log2(m.clamp(min=4))) - 3) * on * np.log(2)
    return torch.stack([cost, zero.sum(1), size.sum(1), (bce(sign, (v > 0).float()) * (m > 0) * on).sum(1)], 1) / np.log(2)


def tensors_of(data, net):
    t = lambda a: torch.from_numpy(np.ascontiguousarray(a))
    common, even, odd, flag, values = data
    return (t(common), t(even), t(odd), torch.zeros(len(even)) if flag is None else t(flag).float(),
            t(values).float() if net.values else torch.zeros(len(even), 1))


def train(data, values, flag, hidden, odd_hidden, steps, lr=4e-3, batch=1024):
    torch.manual_seed(1)
    net = Network(data[0].shape[1], data[1].shape[1], data[2].shape[1], values, flag, hidden, odd_hidden)
    parts = tensors_of(data, net)
    opt, count = torch.optim.Adam(net.parameters(), lr=lr, betas=(0.9, 0.99)), len(parts[1])
    steps = max(30, min(steps, 12 * count // batch))
    for i in range(steps):
        for group in opt.param_groups:
            group['lr'] = lr * (1 - i / steps) + 2e-5
        pick = torch.randint(0, count, (batch,))
        loss = bits(net, *(p[pick] for p in parts)).sum(1).mean()
        opt.zero_grad(); loss.backward(); opt.step()
        with torch.no_grad():
            for name, p in net.named_parameters():
                if name.endswith('weight') or name in ('ar', 'aro'):
                    p.clamp_(-LIMIT, LIMIT)
    return net


def total_bits(net, data):
    parts = tensors_of(data, net)
    with torch.no_grad():
        return sum(bits(net, *(p[i:i + 32768] for p in parts)).sum(0).numpy() for i in range(0, len(parts[1]), 32768))


def integer_tensors(prefix, state, values, flag):
    """As docs/format/entropy.md section 6.3 has them; `state` is a Network's state_dict()."""
    g = {k: v.numpy().astype(np.float64) for k, v in state.items()}
    i16 = lambda x: np.clip(np.round(x), -32767, 32767).astype(np.int16)
    i32 = lambda x: np.round(x).astype(np.int32)
    t, w, b, f, n = {}, g['out.weight'].T, g['out.bias'], int(flag), values
    t['first'], t['first_bias'] = i16(g['a.weight'].T * 2048), i32(g['a.bias'] * 2**16)
    if flag:
        t['flag'], t['flag_bias'] = i16(w[:, :1] * 2048), i32(b[:1] * 2**18)
    if n:
        t['out'], t['out_bias'] = i16(w[:, f:] * 2048), i32(b[f:] * 2**18)
        ahead = g['ar'].reshape(LOGITS, n, n) * g['mask']  # [logit][of][what was]
        t['ahead'] = i16(ahead.transpose(2, 0, 1).reshape(n, LOGITS * n) * 8192)
        t['odd_direct'], t['odd_ahead'] = i16(g['os.weight'].T * 8192), i16((g['aro'] * g['mask']).T * 8192)
        if 'oa.weight' in g:
            t['odd_first'], t['odd_out'] = i16(g['oa.weight'].T * 2048), i16(g['ob.weight'].T * 1024)
        t['sign_gain'] = np.clip(np.round(256 * np.concatenate([[1], 1 + g['sg']])), 0, 4096).astype(np.uint16)
    return {f'{prefix}.{k}': np.ascontiguousarray(v) for k, v in t.items()}
