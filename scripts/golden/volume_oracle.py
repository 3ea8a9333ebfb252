"""Writes packages/volume/test/golden/volume.json: Eq. 1 to 4 evaluated densely by NumPy in double precision, on sizes
that are neither square nor cubic, with landmarks inside, at the edge of and outside the grid.

    python scripts/golden/volume_oracle.py
"""
import colorsys
import json
import pathlib

import numpy as np

rng = np.random.default_rng(5)


def centers(unit, width, height, depth):
    """Landmarks in voxels: u * size - 0.5, (z + 0.5) * d - 0.5."""
    return unit[:, 0] * width - 0.5, unit[:, 1] * height - 0.5, (unit[:, 2] + 0.5) * depth - 0.5


def squares(unit, width, height, depth):
    """Squared distances [n, h, w, d] of all voxels to all landmarks: in the plane, along z."""
    x, y, z = centers(unit, width, height, depth)
    i, j, k = np.arange(width), np.arange(height), np.arange(depth)
    plane = (i[None, None, :] - x[:, None, None]) ** 2 + (j[None, :, None] - y[:, None, None]) ** 2
    line = (k[None, :] - z[:, None]) ** 2
    return plane, line


def volume(unit, colors, width, height, depth, sigma, kernel, amplitude):
    """Eq. 1 and 2, [h, w, d, c], nothing cut; and the share of its peak that each Gaussian has at each voxel."""
    plane, line = squares(unit, width, height, depth)
    if kernel == 'literal':
        gaussian = np.exp(-(plane[..., None] + line[:, None, None, :]) / (2 * sigma**2))
        share = gaussian
        gaussian = gaussian / ((2 * np.pi) ** 1.5 * sigma**3)
    else:
        log = -line / (2 * sigma**2)
        weights = np.exp(log - log.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
        gaussian = np.exp(-plane / (2 * sigma**2))[..., None] * weights[:, None, None, :] / (2 * np.pi * sigma**2)
        z = centers(unit, width, height, depth)[2]
        nearest = (z - np.clip(z, 0, depth - 1)) ** 2
        share = np.exp(-(plane[..., None] + (line - nearest[:, None])[:, None, None, :]) / (2 * sigma**2))
    if amplitude == 'peak':
        gaussian = gaussian * (2 * np.pi) ** 1.5 * sigma**3
    return (gaussian[..., None] * colors[:, None, None, None, :]).max(axis=0), share


def cut_volume(unit, colors, width, height, depth, sigma, kernel, amplitude, cutoff):
    """The same with every Gaussian cut where it falls under `cutoff` of its peak."""
    result = np.zeros((height, width, depth, colors.shape[1]))
    for n in range(len(unit)):
        one, share = volume(unit[n:n + 1], colors[n:n + 1], width, height, depth, sigma, kernel, amplitude)
        result = np.maximum(result, np.where(share[0] >= cutoff, 1, 0)[..., None] * one)
    return result


def heatmap(unit, colors, width, height, sigma, amplitude, cutoff):
    """Eq. 3, [h, w, c], every Gaussian cut where it falls under `cutoff` of its peak."""
    plane, _ = squares(np.c_[unit[:, :2], np.zeros(len(unit))], width, height, 1)
    flat = np.exp(-plane / (2 * sigma**2)) / (2 * np.pi * sigma**2)
    if amplitude == 'peak':
        flat = flat * (2 * np.pi) ** 1.5 * sigma**3
    return (np.where(np.exp(-plane / (2 * sigma**2)) >= cutoff, flat, 0)[..., None] * colors[:, None, None, :]).max(axis=0)


def hue_wheel(n):
    return np.array([colorsys.hsv_to_rgb(i / n, 1, 1) for i in range(n)])


def case(n, width, height, depth, sigma, kernel, amplitude, cutoff):
    unit = np.c_[rng.uniform(-0.08, 1.08, (n, 2)), rng.uniform(-0.65, 0.65, n)].astype(np.float32).astype(float)
    colors = hue_wheel(n)
    dense, _ = volume(unit, colors, width, height, depth, sigma, kernel, amplitude)
    cut = cut_volume(unit, colors, width, height, depth, sigma, kernel, amplitude, cutoff)
    assert np.abs(dense - cut).max() <= cutoff * cut.max() * 1.0001
    plane = heatmap(unit, colors, width, height, sigma, amplitude, cutoff)
    return {
        'unit': unit.ravel().tolist(), 'width': width, 'height': height, 'depth': depth, 'sigma': sigma,
        'depthKernel': kernel, 'amplitude': amplitude, 'cutoff': cutoff,
        'peak': float(dense.max()),
        'volume': [float(f'{v:.9g}') for v in cut.ravel()],
        'heatmap': [float(f'{v:.9g}') for v in plane.ravel()],
        'marginal': [float(f'{v:.9g}') for v in cut.sum(axis=2).ravel()],
    }


def main():
    golden = {
        'script': 'scripts/golden/volume_oracle.py',
        'versions': {'numpy': np.__version__},
        'colors': {str(n): hue_wheel(n).ravel().tolist() for n in (5, 68)},
        'cases': [
            case(7, 9, 11, 5, 1.0, 'normalized', 'density', 1e-3),
            case(7, 11, 8, 6, 1.0, 'literal', 'density', 1e-3),
            case(5, 10, 7, 4, 0.5, 'normalized', 'peak', 1e-2),
            case(5, 7, 9, 2, 2.0, 'literal', 'peak', 0),
            case(4, 6, 5, 1, 1.3, 'normalized', 'density', 0),
        ],
    }
    out = pathlib.Path(__file__).parents[2] / 'packages/volume/test/golden/volume.json'
    out.write_text(json.dumps(golden) + '\n')


if __name__ == '__main__':
    main()
