"""Writes packages/metrics/test/golden/metrics.json: landmark metrics by NumPy and SciPy on drawn faces.

    python scripts/golden/metrics_oracle.py
"""
import json
import pathlib

import numpy as np
import scipy
from scipy.integrate import simpson
from scipy.spatial.transform import Rotation

rng = np.random.default_rng(11)


def nme(preds, target, size, visible=None, align=None):
    preds = preds.copy()
    if align == 'mean':
        preds[:, 2] += target[:, 2].mean() - preds[:, 2].mean()
    if align == 'min':
        preds[:, 2] += target[:, 2].min() - preds[:, 2].min()
    distances = np.linalg.norm(preds - target, axis=1)
    if visible is not None:
        distances = distances[np.array(visible, bool)]
    return float(distances.mean() / size)


def cvgtce(preds, target):
    """Least-squares similarity: SciPy's rotation between the centred shapes, scale by projection."""
    a, b = preds - preds.mean(0), target - target.mean(0)
    turned = Rotation.align_vectors(b, a)[0].apply(a)
    scale = np.sum(turned * b) / np.sum(a * a)
    return nme(scale * turned + target.mean(0), target, np.linalg.norm(target[36] - target[45]))


def face():
    target = (rng.normal(size=(68, 3)) * [40, 50, 30] + [200, 180, 12]).astype(np.float32).astype(float)
    noise = rng.normal(size=(68, 3)) * [2, 2, 4] + [0, 0, 25]
    preds = (target + noise).astype(np.float32).astype(float)
    visible = (rng.uniform(size=68) < 0.7).astype(int)
    flat = target[:, :2]
    w, h = flat.max(0) - flat.min(0)
    pupils = flat[36:42].mean(0) - flat[42:48].mean(0)
    sizes = {
        'boxSize': np.sqrt(w * h), 'boxDiagonal': np.hypot(w, h),
        'interocular2d': np.linalg.norm(flat[36] - flat[45]), 'interocular3d': np.linalg.norm(target[36] - target[45]),
        'interPupil2d': np.linalg.norm(pupils),
    }
    return {
        'target': target.ravel().tolist(), 'preds': preds.ravel().tolist(), 'visible': visible.tolist(),
        'nme2d': {name: nme(preds[:, :2], flat, size) for name, size in sizes.items()},
        'nmeVisible': nme(preds[:, :2], flat, sizes['boxSize'], visible),
        'nmeInner': nme(preds[17:, :2], flat[17:], sizes['boxSize']),
        'nme3d': {align: nme(preds, target, sizes['boxSize'], align=align) for align in ('none', 'mean', 'min')},
        'gte': nme(preds, target, sizes['interocular3d'], align='mean'),
        'cvgtce': cvgtce(preds, target),
    }


def curve_case(errors, limit, fan):
    """AUC three ways and the CED; `simpson` follows SPIGA's evaluation, `fan` that of FAN."""
    counts, edges = np.histogram(errors, bins=10000)
    curve = np.cumsum(counts) / len(errors)
    base = edges[:10000]
    base = base[base < limit]
    curve = curve[: len(base)]
    area = simpson(curve, x=base) / limit if len(base) else 0
    if len(base) and base[-1] < limit and curve[-1] == 1:
        area += (limit - base[-1]) / limit
    grid = np.linspace(0, 1, 1000)
    steps = np.linspace(0, limit, 8)
    dense = np.linspace(0, limit, 2_000_001)
    return {
        'errors': errors.tolist(), 'limit': limit,
        'thresholds': steps.tolist(),
        'ced': [float((errors <= t).mean()) for t in steps],
        'failureRate': float((errors > limit).mean()),
        'exact': float(np.trapezoid(np.searchsorted(np.sort(errors), dense, side='right') / len(errors), dense) / limit),
        'fan': float(np.mean([(errors < t).mean() for t in grid[:fan]])),
        'simpson': float(area),
    }


errors = rng.gamma(4, 0.008, 400)
yaws = rng.uniform(-95, 95, 400)
groups = [errors[np.abs(yaws) <= 30], errors[(np.abs(yaws) > 30) & (np.abs(yaws) <= 60)], errors[np.abs(yaws) > 60]]
means = [g.mean() for g in groups]
golden = {
    'script': 'scripts/golden/metrics_oracle.py',
    'versions': {'numpy': np.__version__, 'scipy': scipy.__version__},
    'faces': [face() for _ in range(3)],
    'curves': [curve_case(errors, 0.07, 70), curve_case(errors[:51], 0.1, 100), curve_case(errors[:40] / 10, 0.08, 80)],
    'yaw': {
        'errors': errors.tolist(), 'yaws': yaws.tolist(), 'counts': [len(g) for g in groups], 'means': means,
        'binMean': float(np.mean(means)), 'binStd': float(np.std(means, ddof=1)),
        'mean': float(errors.mean()), 'median': float(np.median(errors)), 'std': float(errors.std(ddof=1)),
    },
}
out = pathlib.Path(__file__).parents[2] / 'packages/metrics/test/golden/metrics.json'
out.write_text(json.dumps(golden) + '\n')
