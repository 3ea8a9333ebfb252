"""Writes packages/landmarks/test/golden/landmarks.json: affine maps by NumPy, similarities by SciPy, xoshiro128** by
unbounded integers masked to 32 bits.

    python scripts/golden/landmarks_oracle.py
"""
import json
import pathlib

import numpy as np
import scipy
from scipy.spatial.transform import Rotation

rng = np.random.default_rng(3)


def as_matrix(affine):
    a, b, c, d, tx, ty = affine
    return np.array([[a, c, tx], [b, d, ty], [0, 0, 1]])


def as_affine(matrix):
    return [matrix[0, 0], matrix[1, 0], matrix[0, 1], matrix[1, 1], matrix[0, 2], matrix[1, 2]]


def affine_case():
    first, second = rng.normal(size=6), rng.normal(size=6)
    points = rng.normal(size=(5, 3)).astype(np.float32).astype(float)
    matrix = as_matrix(first)
    moved = np.c_[np.c_[points[:, :2], np.ones(5)] @ matrix.T[:, :2], points[:, 2] * np.sqrt(abs(np.linalg.det(matrix)))]
    return {
        'first': first.tolist(),
        'second': second.tolist(),
        'composed': as_affine(as_matrix(second) @ matrix),
        'inverse': as_affine(np.linalg.inv(matrix)),
        'scale': float(np.sqrt(abs(np.linalg.det(matrix)))),
        'points': points.ravel().tolist(),
        'moved': moved.ravel().tolist(),
    }


def similarity_case(n, dims, mirrored):
    """SciPy's proper rotation (Kabsch) with the least-squares scale; a mirrored target tempts a reflection."""
    source = rng.normal(size=(n, dims)).astype(np.float32).astype(float)
    target = source * ([-1] + [1] * (dims - 1)) if mirrored else source
    if dims == 3:
        target = Rotation.random(random_state=n).apply(target)
    else:
        target = target @ np.array([[0.6, 0.8], [-0.8, 0.6]])
    target = (1.7 * target + rng.normal(size=dims) + 0.1 * rng.normal(size=source.shape)).astype(np.float32).astype(float)
    a, b = source - source.mean(0), target - target.mean(0)
    pad = np.zeros((n, 3 - dims))
    if dims == 3:
        rotation = Rotation.align_vectors(b, a)[0].as_matrix()
    else:  # the rotation about z that fits best, found by brute force and polished
        from scipy.optimize import minimize_scalar

        def turned(angle):
            c, s = np.cos(angle), np.sin(angle)
            return np.array([[c, -s], [s, c]])

        grid = np.linspace(-np.pi, np.pi, 721)
        start = max(grid, key=lambda t: np.sum(b * (a @ turned(t).T)))
        best = minimize_scalar(lambda t: -np.sum(b * (a @ turned(t).T)), bracket=(start - 0.01, start + 0.01), tol=1e-14)
        rotation = turned(best.x)
    scale = np.sum(b * (a @ rotation.T)) / np.sum(a * a)
    return {
        'dims': dims,
        'source': source.ravel().tolist(),
        'target': target.ravel().tolist(),
        'rotation': rotation.ravel().tolist(),
        'scale': float(scale),
        'translation': (target.mean(0) - scale * source.mean(0) @ rotation.T).tolist(),
    }


def xoshiro(words, count):
    mask = 0xFFFFFFFF
    s, out = list(words), []

    def rotl(x, k):
        return ((x << k) | (x >> (32 - k))) & mask

    for _ in range(count):
        out.append(rotl(s[1] * 5 & mask, 7) * 9 & mask)
        t = s[1] << 9 & mask
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = rotl(s[3], 11)
    return out


def splitmix(seed, count):
    mask, out = 0xFFFFFFFF, []
    for _ in range(count):
        seed = seed + 0x9E3779B9 & mask
        z = (seed ^ seed >> 16) * 0x21F0AAAD & mask
        z = (z ^ z >> 15) * 0x735A2D97 & mask
        out.append(z ^ z >> 15)
    return out


golden = {
    'script': 'scripts/golden/landmarks_oracle.py',
    'versions': {'numpy': np.__version__, 'scipy': scipy.__version__},
    'affine': [affine_case() for _ in range(3)],
    'similarity': [similarity_case(n, dims, mirrored) for n, dims, mirrored in
                   [(5, 3, False), (68, 3, False), (9, 3, True), (7, 2, False), (8, 2, True)]],
    'xoshiro': [{'state': s, 'outputs': xoshiro(s, 12)} for s in ([1, 2, 3, 4], [0xFFFFFFFF, 7, 0x80000000, 123456789])],
    'seeded': [{'seed': seed, 'state': splitmix(seed, 4), 'outputs': xoshiro(splitmix(seed, 4), 6)} for seed in (0, 1, 42)],
}
out = pathlib.Path(__file__).parents[2] / 'packages/landmarks/test/golden/landmarks.json'
out.write_text(json.dumps(golden) + '\n')
