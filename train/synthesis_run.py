"""One time-boxed training run of a synthesis network: optimiser, schedule, averages, checkpoints. What a batch is, its
caller knows: train_synthesis.py draws pictures, train_cached.py reads what make_cache.py has made."""
import glob
import os
import platform
import sys
import time

import numpy as np
import torch
from PIL import Image

import export_swift as E
from swift_synthesis import Synthesis


def machine_name(device, threads):
    if device == 'cuda':
        return torch.cuda.get_device_name(0)
    model = [line.split(':')[1].strip() for line in open('/proc/cpuinfo') if line.startswith('model name')] if os.path.exists('/proc/cpuinfo') else []
    return f'{(model or [platform.machine()])[0]}, {threads} of {os.cpu_count()} cores, CPU only'


def arguments(p, lr, size):
    """What every run takes."""
    p.add_argument('--kodak'); p.add_argument('--out', required=True); p.add_argument('--size', default=size)
    p.add_argument('--start', metavar='FILE'); p.add_argument('--resume', action='store_true'); p.add_argument('--minutes', type=float, default=10)
    p.add_argument('--lr', type=float, default=lr); p.add_argument('--seed', type=int, default=1); p.add_argument('--threads', type=int, default=1)
    p.add_argument('--qat', type=float, default=0.25, help='last fraction of the time with integer arithmetic imitated')
    p.add_argument('--eval-minutes', type=float, default=5)


def load_kodak(folder):
    return [np.asarray(Image.open(f).convert('RGB')) for f in sorted(glob.glob(os.path.join(folder, '*.png')))[::4]] if folder else []


class Run:
    """`step`, the number of batches so far, is for whoever seeds by it. `stored` goes into the checkpoint."""

    def __init__(self, a, device, beta2, history=(), make=Synthesis, **stored):
        self.a, self.device, self.stored = a, device, stored
        net, self.origin = make(a.size), None
        if a.start:
            self.origin, size = E.model_id(a.start), E.read_safetensors(a.start)[1].get('godwit.synthesis.size')
            if size != a.size:
                raise SystemExit(f'{a.start}: is a {size} network, not {a.size}')
            E.import_synthesis(a.start, net)
        self.net = net.to(device).to(memory_format=torch.channels_last)
        self.ema = make(a.size).to(device).to(memory_format=torch.channels_last)
        self.ema.load_state_dict(self.net.state_dict())
        self.opt = torch.optim.Adam(self.net.parameters(), lr=a.lr, betas=(0.9, beta2))
        self.spent, self.step, self.history = 0.0, 0, list(history)
        if a.resume and os.path.exists(a.out):
            s = torch.load(a.out, map_location=device)
            if s['size'] != a.size:
                raise SystemExit(f'{a.out}: is a {s["size"]} network, not {a.size}')
            self.spent, self.history, self.origin = s.get('minutes', 0.0), s.get('history', []), s.get('origin')
            self.net.load_state_dict(s['net']); self.ema.load_state_dict(s['ema']); self.opt.load_state_dict(s['opt']); self.step = s['step']
        elif os.path.exists(a.out):
            os.replace(a.out, a.out + '.old')

    def save(self):
        a, minutes = self.a, (time.time() - self.began) / 60
        line = dict(command=' '.join(['train/' + os.path.basename(sys.argv[0]), *sys.argv[1:]]), minutes=minutes, machine=machine_name(self.device, a.threads))
        torch.save(dict(net=self.net.state_dict(), ema=self.ema.state_dict(), opt=self.opt.state_dict(), step=self.step, size=a.size, origin=self.origin,
                        minutes=self.spent + minutes, history=self.history + [line], **self.stored), a.out + '.tmp')
        os.replace(a.out + '.tmp', a.out)

    def set_quantised(self):
        self.net.set_quantised(True); self.ema.set_quantised(True)

    def train(self, batch_loss, valid_loss, kodak_psnr):
        """batch_loss(net) of the next batch; valid_loss(net), a number; kodak_psnr(net), text on more."""
        a, self.began, run = self.a, time.time(), None

        def report():
            with torch.no_grad():
                print(f'step {self.step} min {(time.time() - self.began) / 60:.1f} train {run or 0:.5f} valid {valid_loss(self.ema):.5f} '
                      f'{kodak_psnr(self.ema)}', flush=True)

        if a.start:  # to be compared with the file's own card
            self.ema.set_quantised(True)
            report()
            self.ema.set_quantised(False)
        last_eval = self.began
        while (done := (time.time() - self.began) / (a.minutes * 60)) < 1:
            for g in self.opt.param_groups:
                g['lr'] = a.lr * min(1, (self.step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * done)))
            if done >= 1 - a.qat and not self.net.quantised:
                self.set_quantised()
                self.ema.load_state_dict(self.net.state_dict())
            loss = batch_loss(self.net)
            self.opt.zero_grad(); loss.backward()
            torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
            self.opt.step(); self.step += 1
            run = loss.item() if run is None else 0.99 * run + 0.01 * loss.item()
            with torch.no_grad():
                decay = min(0.998, self.step / (self.step + 10))
                for pe, pn in zip(self.ema.parameters(), self.net.parameters()):
                    pe.lerp_(pn, 1 - decay)
            if time.time() - last_eval > a.eval_minutes * 60:
                report(); self.save(); last_eval = time.time()
        self.set_quantised()
        report(); self.save()
