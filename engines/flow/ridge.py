import cv2
import numpy as np

DIM = 64
LAMBDA = 1e-3
N_IN = 14
_rng = np.random.default_rng(7)
_W = (0.5 * _rng.normal(0, 1.0, (N_IN, 128))).astype(np.float32)
_B = _rng.normal(0, 1.0, 128).astype(np.float32)
SIGMAS = (0.03, 0.075, 0.15)


def inputs(lab, unit, reduce=2):
    """float32 [h, w, 14] at reduced size."""
    h, w = lab.shape[:2]
    f = cv2.resize(lab, (max(8, w // reduce), max(8, h // reduce)), interpolation=cv2.INTER_AREA).astype(np.float32)
    f -= 128
    f *= np.array([1 / 50, 1 / 18, 1 / 18], np.float32)
    root = max(4.0, unit / reduce)
    s = [f]
    for sigma in SIGMAS:
        s.append(cv2.GaussianBlur(f, (0, 0), sigma * root))
    d = np.abs(f[..., 0] - s[1][..., 0])
    s.append(3 * cv2.GaussianBlur(d, (0, 0), 0.025 * root)[..., None])
    s.append(3 * cv2.GaussianBlur(d, (0, 0), 0.075 * root)[..., None])
    return np.concatenate(s, 2)


def features(x):
    """float32 [n, D]."""
    x = x.reshape(-1, N_IN)
    out = np.empty((len(x), 1 + N_IN + DIM), np.float32)
    out[:, 0] = 1
    out[:, 1:1 + N_IN] = x
    hidden = out[:, 1 + N_IN:]
    np.maximum(x @ _W[:, :DIM] + _B[:DIM], 0, out=hidden)
    return out


def moments(phi, y):
    n = max(1, len(phi))
    return phi.T @ phi / n, y * phi.sum(0) / n


def solve(stats, extra, weight):
    a = sum(s[0] * w for s, w in stats) + weight * sum(e[0] for e in extra)
    b = sum(s[1] * w for s, w in stats) + weight * sum(e[1] for e in extra)
    lam = LAMBDA * np.trace(a) / len(a)
    return np.linalg.solve(a.astype(np.float64) + lam * np.eye(len(a)), b.astype(np.float64)).astype(np.float32)
