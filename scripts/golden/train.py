"""Losses, objectives, their gradients, and Adam, computed by PyTorch: packages/train/test/golden/train.json.

    python scripts/golden/train.py

Two stages [b, h, w, d * c] with d = 1 and 3, c = 2, non-square. The discriminator is a toy, D^m(V) = w_m V + u_m, so
that the gradient of Eq. 13 passes through both of its arguments.
"""
import json
import pathlib

import numpy as np
import torch

rng = np.random.default_rng(7)
B, H, W, C, N = 2, 3, 4, 2, 5
DEPTHS = [1, 3]
GAMMA_MU = 0.4
WEIGHTS = {'coordinate': 1.3, 'auxiliary': 0.1, 'adversarial': 0.02}


def draw(*shape):
    return torch.tensor(rng.uniform(-1, 1, shape).round(4), dtype=torch.float64)


def leaf(t):
    return t.clone().requires_grad_()


volumes = [draw(B, H, W, d * C) for d in DEPTHS]
truth = [draw(B, H, W, d * C) for d in DEPTHS]
heatmap = draw(B, H, W, C)
coordinates, unit3, unit2 = draw(B, N, 3), draw(B, N, 3), draw(B, N, 2)
mask = torch.tensor([[1, 1, 0, 1, 1], [1, 1, 1, 1, 1]], dtype=torch.float64)
toy = [(0.7, 0.1), (-0.3, 0.2)]


def squares(a, b):
    return ((a - b) ** 2).sum() / a.shape[0]


def voxel3d(v):
    return sum(squares(a, b) for a, b in zip(v, truth))


def voxel2d(v):
    total = 0
    for a, d in zip(v, DEPTHS):
        plane = a.reshape(B, H, W, d, C).sum(3)
        total = total + (((plane - heatmap) ** 2).sum((1, 2, 3)) * mask.prod(1)).sum() / B
    return total


def coord3d(s):
    return squares(s, unit3)


def coord2d(s):
    return (((s[..., :2] - unit2) ** 2) * mask[..., None]).sum() / B


def distance3d(s):
    return ((s - unit3) ** 2).sum(-1).add(1e-6).sqrt().sum() / B


def distance2d(s):
    return (((s[..., :2] - unit2) ** 2).sum(-1).add(1e-6).sqrt() * mask).sum() / B


def reconstruct(v, w):
    return [a * scale + shift for a, (scale, shift) in zip(v, w)]


def reconstruction(v, w):
    return sum(squares(a, b) for a, b in zip(v, reconstruct(v, w)))


def record(loss, *leaves):
    grads = torch.autograd.grad(loss, leaves, allow_unused=True)
    return {'value': loss.item(), 'gradients': [g.flatten().tolist() for g in grads]}


out = {
    'weights': WEIGHTS,
    'mu': GAMMA_MU,
    'depths': DEPTHS,
    'toy': toy,
    'inputs': {
        'volumes': [v.flatten().tolist() for v in volumes],
        'truth': [v.flatten().tolist() for v in truth],
        'heatmap': heatmap.flatten().tolist(),
        'coordinates': coordinates.flatten().tolist(),
        'unit3': unit3.flatten().tolist(),
        'unit2': unit2.flatten().tolist(),
        'mask': mask.flatten().tolist(),
    },
}
v, s = [leaf(a) for a in volumes], leaf(coordinates)
out['eq5'] = record(voxel3d(v), *v)
out['eq7'] = record(voxel2d(v), *v)
out['eq6'] = record(coord3d(s), s)
out['eq8'] = record(coord2d(s), s)
out['distance3d'] = record(distance3d(s), s)
out['distance2d'] = record(distance2d(s), s)
out['eq9'] = record(voxel3d(v) + WEIGHTS['coordinate'] * coord3d(s), *v, s)
w = [tuple(torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in pair) for pair in toy]
parameters = [x for pair in w for x in pair]
real = reconstruction(truth, w)
fake = reconstruction(volumes, w)
out['eq10'] = {'real': real.item(), 'fake': fake.item()}
s_true, s_fake = leaf(coordinates), leaf(draw(B, N, 3))
out['inputs']['coordinatesFake'] = s_fake.flatten().tolist()
out['eq11'] = record(
    real + WEIGHTS['auxiliary'] * coord3d(s_true) - GAMMA_MU * fake + WEIGHTS['auxiliary'] * coord2d(s_fake),
    *parameters, s_true, s_fake,
)
out['eq13'] = record(reconstruction(v, toy), *v)
out['eq14'] = record(
    voxel2d(v) + WEIGHTS['coordinate'] * coord2d(s) + WEIGHTS['adversarial'] * reconstruction(v, toy), *v, s
)

# Adam on a fixed sequence of gradients, with and without decoupled weight decay.
start, steps = rng.uniform(-1, 1, 6).round(4), rng.normal(0, 1e-3, (5, 6)).round(7)
out['adam'] = {'start': start.tolist(), 'gradients': steps.tolist()}
for name, maker in {'adam': torch.optim.Adam, 'adamw': torch.optim.AdamW}.items():
    p = torch.tensor(start, requires_grad=True)
    optimizer = maker([p], lr=0.01, **({'weight_decay': 0.1} if name == 'adamw' else {}))
    for g in steps:
        p.grad = torch.tensor(g)
        optimizer.step()
    out['adam'][name] = p.detach().tolist()

head = {'script': 'scripts/golden/train.py', 'torch': torch.__version__, 'numpy': np.__version__, 'seed': 7}
path = pathlib.Path(__file__).parents[2] / 'packages/train/test/golden/train.json'
path.parent.mkdir(parents=True, exist_ok=True)
path.write_text(json.dumps({**head, **out}))
print(path.name, path.stat().st_size)
