#!/usr/bin/python3
"""Fits the `lite` context model of swift: integer weights and starting probabilities.

    fit_contexts.py --data FOLDER --record PROGRAM --work FOLDER --out models/weights/swift.safetensors

PROGRAM is build/.../record_contexts. Two stages: weights by gradient descent on the code length of what the
recorder saw, and least squares for means; then counts per context with those weights."""
import argparse
import os
import subprocess

import numpy as np
import torch

import export_swift as E
import swift_data
import swift_layout as L

def write_crops(path, images, count, size, seed, steps=None):
    crops, rng = swift_data.Crops(images, size, seed), np.random.default_rng(seed)
    with open(path, 'wb') as f:
        for i in range(count):
            a = np.ascontiguousarray(crops.batch(1)[0])
            s = steps[i % len(steps)] if steps is not None else int(rng.integers(70, 270))
            np.array([size, size, s, 3], np.uint32).tofile(f)
            a.tofile(f)


def softplus_param(init):
    return torch.nn.Parameter(torch.log(torch.expm1(torch.tensor(init, dtype=torch.float32))))


def fit_binary(f, y, start, iters=250, lr=0.05):
    """f {n, k} features >= 0, y {n} 0/1. Weights >= 0 of a sum S with P(y) = sigmoid(a + b log S)."""
    w, c = softplus_param(start), softplus_param(0.05)
    ab = torch.nn.Parameter(torch.tensor([0.0, 1.0]))
    opt = torch.optim.Adam([w, c, ab], lr=lr)
    for i in range(iters):
        idx = torch.randint(0, len(f), (min(len(f), 8192),))
        s = f[idx] @ torch.nn.functional.softplus(w) + torch.nn.functional.softplus(c)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(ab[0] + ab[1] * torch.log(s), y[idx])
        opt.zero_grad(); loss.backward(); opt.step()
        for g in opt.param_groups:
            g['lr'] = lr * (1 - i / iters) + 0.002
    return torch.nn.functional.softplus(w).detach().numpy(), float(torch.nn.functional.softplus(c)), ab.detach().numpy(), loss.item()


def fit_magnitude(f, v, seen, start, iters=300, lr=0.05):
    """Weights >= 0 of a sum S that sets P(0) and the geometric tail of |v| - 1."""
    w, c = softplus_param(start), softplus_param(0.1)
    ab = torch.nn.Parameter(torch.tensor([0.0, 1.0, 0.5, 0.0, 1.0]))
    opt = torch.optim.Adam([w, c, ab], lr=lr)
    for i in range(iters):
        idx = torch.randint(0, len(f), (min(len(f), 6144),))
        s = f[idx] @ torch.nn.functional.softplus(w) + torch.nn.functional.softplus(c)
        ls, m = torch.log(s), v[idx].abs()
        zero = torch.nn.functional.binary_cross_entropy_with_logits(ab[0] + ab[1] * ls + ab[2] * seen[idx], (m > 0).float())
        q = ab[3] + ab[4] * ls  # logit of going on
        tail = ((m > 0) * (torch.nn.functional.softplus(q) - q * 0 + (m - 1).clamp(min=0) * torch.nn.functional.softplus(-q))).mean()
        loss = zero + tail
        opt.zero_grad(); loss.backward(); opt.step()
        for g in opt.param_groups:
            g['lr'] = lr * (1 - i / iters) + 0.002
    return torch.nn.functional.softplus(w).detach().numpy(), float(torch.nn.functional.softplus(c)), loss.item()


def integer_weights(w, c, k, limit=127):
    """u8 weights and u16 bias of k times the sum."""
    k = min(k, limit / max(w.max(), 1e-6))
    return np.clip(np.round(w * k), 0, limit).astype(np.uint8), int(np.clip(round(c * k), 0, 32767))


def fit_flags(rows, context, kind, name, groups, features, start, median):
    """Flags of a kind; their sums are scaled to a median that makes full use of the classes."""
    for g in range(groups):
        s = rows[(rows[:, 0] == kind) & (rows[:, 1] == g)]
        f, y = s[:, 4:4 + features].astype(np.float32), s[:, 3].astype(np.float32)
        if len(y) > 200 and 0.001 < y.mean() < 0.999:
            w, c, ab, loss = fit_binary(torch.tensor(f), torch.tensor(y), [start] * features)
            context[name + '.weight'][g], context[name + '.bias'][g] = integer_weights(w, c, median / max(np.median(f @ w) + c, 0.05), 255)
            print(name, g, len(y), f'p {y.mean():.3f} loss {loss / np.log(2):.4f} bits', context[name + '.weight'][g], context[name + '.bias'][g], flush=True)


def fit_weights(rows, context):
    fit_flags(rows, context, 0, 'context.cell', E.GROUPS, 6, 0.2, 32)
    fit_flags(rows, context, 1, 'context.flag', E.GROUPS, 10, 0.2, 64)
    fit_flags(rows, context, 4, 'context.coarse_flag', 3, 4, 0.2, 32)
    rows = rows[rows[:, 0] == 3]
    t = torch.tensor
    for c in range(48):
        pick = (rows[:, 1] & 255) == c
        v, f = rows[pick, 3].astype(np.float32), rows[pick, 4:].astype(np.float32)
        seen = (rows[pick, 1] >> 8).astype(np.float32)
        if len(v) < 300:
            continue
        size = f[:, :6].copy()
        if c % 16:
            mw = ridge_sign(f[:, 6:10], v)
            context['context.coarse_mean.weight'][c] = np.clip(np.round(mw * 16 * 1024), -4095, 4095)
            size[:, 5] = np.abs(np.round(f[:, 6:10] @ (context['context.coarse_mean.weight'][c] / 1024))) // 16
        w, b, loss = fit_magnitude(t(size), t(v), t(seen), [0.15] * 6)
        context['context.coarse.weight'][c], context['context.coarse.bias'][c] = integer_weights(w, b, E.UNIT, 255)
    return context


def ridge_sign(m, v, clip=3.0):
    """Least squares of clipped values: for signs and small means, outliers say little."""
    a = np.clip(m, -400, 400)
    return np.linalg.solve(a.T @ a + 50 * np.eye(a.shape[1]), a.T @ np.clip(v, -clip, clip))


def fit_symbols(rows, context):
    rows = rows[rows[:, 0] == 2]
    channel, seen, value = rows[:, 1] & 255, rows[:, 1] >> 8, rows[:, 3].astype(np.float32)
    f, m = rows[:, 4:15].astype(np.float32), rows[:, 15:21].astype(np.float32)
    for c in range(192):
        pick = channel == c
        if pick.sum() < 200:  # too rare: borrow from the lower neighbour in the same plane
            u, v = (c & 63) >> 3, c & 7
            near = c - 8 if u >= v else c - 1
            for k in ('context.mean.weight', 'context.symbol.weight', 'context.symbol.bias'):
                context[k][c] = context[k][near]
            continue
        mw = np.clip(np.round(ridge_sign(m[pick], value[pick]) * 16 * 1024), -4095, 4095)
        context['context.mean.weight'][c] = mw
        ff = f[pick].copy()
        ff[:, 10] = np.minimum(127, np.abs(np.floor(m[pick] @ (mw / 1024) + 0.5)) // 4)
        start = [0.1] * 7 + [0.05, 0.1, 0.1, 0.1]
        w, b, loss = fit_magnitude(torch.tensor(ff), torch.tensor(value[pick]), torch.tensor(seen[pick].astype(np.float32)), start)
        context['context.symbol.weight'][c], context['context.symbol.bias'][c] = integer_weights(w, b, E.UNIT)
        if c % 8 < 3:
            print('symbol', c, pick.sum(), f'loss {loss / np.log(2):.3f} bits', context['context.symbol.weight'][c], context['context.symbol.bias'][c], mw.astype(int), flush=True)
    return context


def smooth_start(counts):
    """Starting probabilities from counts [range, context, bit]; rare contexts lean on the other ranges."""
    total = counts.sum(0, keepdims=True).astype(np.float64)
    prior = (total[..., 1] + 0.5) / (total.sum(-1) + 1.0)
    c = counts.astype(np.float64)
    p = (c[..., 1] + 12 * prior) / (c.sum(-1) + 12)
    return np.clip(np.round(p * 65536), 64, 65536 - 64).astype(np.uint16)


def main():
    p = argparse.ArgumentParser()
    p.add_argument('--data', required=True); p.add_argument('--record', required=True); p.add_argument('--work', required=True)
    p.add_argument('--out', required=True); p.add_argument('--rounding', type=int, default=108)
    p.add_argument('--crops', type=int, default=100); p.add_argument('--passes', type=int, default=2)
    p.add_argument('--limit', type=int)
    a = p.parse_args()
    os.makedirs(a.work, exist_ok=True)
    torch.manual_seed(1); torch.set_num_threads(1)
    train, held = swift_data.load(a.data, limit=a.limit)
    context, path = E.plain_context(), lambda n: os.path.join(a.work, n)
    model = path('model.safetensors')
    write_crops(path('fit.crops'), [i for i in train if min(i.shape[:2]) >= 384], a.crops, 384, 11)
    write_crops(path('count.crops'), [i for i in train if min(i.shape[:2]) >= 512], a.crops * 2, 512, 12)
    write_crops(path('held.crops'), [i for i in held if min(i.shape[:2]) >= 512], 60, 512, 13, [96, 128, 160, 192, 224, 256])
    for n in range(a.passes):
        E.export_stream_model(model, a.rounding, context)
        subprocess.run([a.record, 'record', model, path('fit.crops'), path('rows.i16')], check=True)
        rows = np.fromfile(path('rows.i16'), np.int16).reshape(-1, 24)
        print('rows', len(rows), flush=True)
        if n == 0:
            context = fit_weights(rows, context)
            E.export_stream_model(model, a.rounding, context)  # the symbols use the flags' sum: record again
            subprocess.run([a.record, 'record', model, path('fit.crops'), path('rows.i16')], check=True)
            rows = np.fromfile(path('rows.i16'), np.int16).reshape(-1, 24)
        context = fit_symbols(rows, context)
        for _ in range(1):
            context['context.start'][:] = 32768
            E.export_stream_model(model, a.rounding, context)
            subprocess.run([a.record, 'count', model, path('count.crops'), path('counts.u64')], check=True, stdout=subprocess.DEVNULL)
            context['context.start'] = smooth_start(np.fromfile(path('counts.u64'), np.uint64).reshape(3, E.CONTEXTS, 2))
        E.export_stream_model(model, a.rounding, context)
        subprocess.run([a.record, 'count', model, path('held.crops'), path('held.u64')], check=True)
        if n + 1 == a.passes:
            break
    print('model', E.export_stream_model(a.out, a.rounding, context))


if __name__ == '__main__':
    main()
