"""Metrics of sound, as docs/metrics.md defines them. NumPy only; arrays are (sample, channel), full scale 1."""
import numpy as np


def si_sdr(x, y):
    a, b = x.ravel(), y.ravel()
    target = (a @ b) / (a @ a) * a
    return 10 * np.log10((target @ target) / ((b - target) @ (b - target)))


def psnr_walloc(x, y):
    """WaLLoC's: the original scaled to +-0.5, peak 1."""
    return -10 * np.log10(np.mean((x - y) ** 2) / (2 * np.abs(x).max()) ** 2)


def frames_of(x, size, hop):
    count = 1 + (len(x) - size) // hop
    return np.lib.stride_tricks.as_strided(np.ascontiguousarray(x), (count, size), (8 * hop, 8))


def hann(n):
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n) / n)


def mel_bank(rate, size, bands):
    edges = np.linspace(0, 2595 * np.log10(1 + rate / 1400), bands + 2)
    edges = 700 * (10 ** (edges / 2595) - 1)
    f = np.arange(size // 2 + 1) * rate / size
    low, mid, high = (edges[i:i + bands, None] for i in range(3))
    bank = np.maximum(0, np.minimum((f - low) / (mid - low), (high - f) / (high - mid)))
    return bank / np.maximum(bank.sum(1, keepdims=True), 1e-9)


def log_mel(x, rate):
    size = 2048 if rate > 32000 else 1024 if rate > 16000 else 512
    window = hann(size)
    power = np.abs(np.fft.rfft(frames_of(x, size, size // 4) * window)) ** 2 / (window @ window) * 2
    return 10 * np.log10(power @ mel_bank(rate, size, 64).T + 1e-10)


def log_mel_distance(x, y, rate):
    return np.mean([np.abs(log_mel(x[:, c], rate) - log_mel(y[:, c], rate)).mean() for c in range(x.shape[1])])


def segmental_snr(x, y, rate):
    n = rate // 50
    k = len(x) // n * n
    e = (x[:k] ** 2).reshape(-1, n * x.shape[1]).sum(1)
    d = ((x - y)[:k] ** 2).reshape(-1, n * x.shape[1]).sum(1)
    use = e > 1e-6 * n
    return np.clip(10 * np.log10(e[use] / np.maximum(d[use], 1e-20)), -10, 35).mean()


def third_octaves(rate=10000, size=512, bands=15, lowest=150):
    f = np.arange(size // 2 + 1) * rate / size
    centre = lowest * 2.0 ** (np.arange(bands) / 3)
    bank = np.zeros((bands, len(f)))
    for b, c in enumerate(centre):
        low, high = (np.argmin((f - c * 2.0 ** (s / 6)) ** 2) for s in (-1, 1))
        bank[b, low:high] = 1
    return bank


def stoi(x, y):
    """Taal, Hendriks, Heusdens and Jensen 2011, of mono sound at 10 kHz."""
    size, hop, length = 256, 128, 30
    window = np.hanning(size + 2)[1:-1]
    fx, fy = frames_of(x, size, hop) * window, frames_of(y, size, hop) * window
    energy = 20 * np.log10(np.linalg.norm(fx, axis=1) + 1e-12)
    kept = energy > energy.max() - 40  # frames without speech do not count
    joined = []
    for f in (fx[kept], fy[kept]):
        out = np.zeros((len(f) - 1) * hop + size)
        for i, frame in enumerate(f):
            out[i * hop:i * hop + size] += frame
        joined.append(out)
    bank = third_octaves()
    X, Y = (np.sqrt((np.abs(np.fft.rfft(frames_of(s, size, hop) * window, 512)) ** 2) @ bank.T).T for s in joined)
    scores = []
    for m in range(length, X.shape[1] + 1):
        a, b = X[:, m - length:m], Y[:, m - length:m]
        b = b * np.linalg.norm(a, axis=1, keepdims=True) / (np.linalg.norm(b, axis=1, keepdims=True) + 1e-12)
        b = np.minimum(b, a * (1 + 10 ** (15 / 20)))  # no worse than -15 dB
        a = a - a.mean(1, keepdims=True)
        b = b - b.mean(1, keepdims=True)
        scores.append(((a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1) + 1e-12)).mean())
    return float(np.mean(scores))


if __name__ == "__main__":  # a check: what the metrics must say of sounds whose answer is known
    random = np.random.default_rng(1)
    tone = np.sin(np.arange(48000) * 0.05)[:, None]
    noise = random.standard_normal((48000, 1))
    noise -= (noise.T @ tone) / (tone.T @ tone) * tone
    noise *= np.linalg.norm(tone) / np.linalg.norm(noise) / 10
    assert abs(si_sdr(tone, tone + noise) - 20) < 1e-9 and abs(si_sdr(tone, 3 * (tone + noise)) - 20) < 1e-9
    assert abs(psnr_walloc(tone, tone + 0.02) - 40) < 0.01
    assert log_mel_distance(noise, noise, 48000) == 0 and abs(log_mel_distance(noise, 2 * noise, 48000) - 6.02) < 0.05
    speech = random.standard_normal(40000) * (1 + np.sin(np.arange(40000) * 0.004)) * np.hanning(40000)
    scores = [stoi(speech, speech + g * random.standard_normal(40000)) for g in (0, 0.1, 1, 10)]
    assert abs(scores[0] - 1) < 1e-6 and all(a > b + 0.01 for a, b in zip(scores, scores[1:])), scores
    assert abs(stoi(speech, random.standard_normal(40000))) < 0.4
    print("metrics: ok, STOI in noise", " ".join(f"{s:.3f}" for s in scores))
