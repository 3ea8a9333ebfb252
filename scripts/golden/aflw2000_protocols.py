"""Protocols of AFLW2000-3D computed from the 2000 faces themselves: packages/voxface/test/golden/aflw2000-protocols.json.

    python scripts/golden/aflw2000_protocols.py FOLDER

FOLDER is the unpacked archive with 3DDFA's arrays in `annotations/`. The original labels (`pt3d_68` of each .mat) are scored as if
they were predictions; only figures are written.
"""
import json
import sys
from pathlib import Path

import numpy as np
from scipy.io import loadmat

root = Path(sys.argv[1])
files = sorted(root.glob('image*.mat'))
mats = [loadmat(f) for f in files]
preds = np.stack([m['pt3d_68'][:2] for m in mats]).astype(float)
# Three files have points of a second face behind the 21.
visible21 = np.load(root / 'annotations' / 'AFLW2000-3D.pts21.npy').astype(float)
fitted = np.degrees([m['Pose_Para'][0, 1] for m in mats])
annotations = root / 'annotations'
again = np.load(annotations / 'AFLW2000-3D-Reannotated.pts68.npy').astype(float)
paper = np.abs(np.load(annotations / 'AFLW2000-3D-new.pose.npy'))
# Row i of the arrays is the i-th file by name.
assert np.abs(np.abs(np.load(annotations / 'AFLW2000-3D.pose.npy')) - np.abs(fitted)).max() < 0.01
assert all(np.abs(m['pt2d'][:, :21] - v).max() < 0.01 for m, v in zip(mats, visible21))


def size(points):
    return np.sqrt(np.prod(points.max(-1) - points.min(-1), axis=-1))


def bins(errors, yaw):
    """As in Table IV: 0..30, 30..60, 60..90 degrees, and the plain mean of the three."""
    yaw = np.abs(yaw)
    groups = [errors[yaw <= 30], errors[(yaw > 30) & (yaw <= 60)], errors[yaw > 60]]
    means = [g.mean() for g in groups]
    rounded = [round(100 * m, 4) for m in means]
    return {'counts': [len(g) for g in groups], 'means': rounded, 'mean': round(100 * float(np.mean(means)), 4)}


def both(errors):
    return {
        'nme': round(100 * float(errors.mean()), 4),
        'fitted': bins(errors, fitted),
        'paper': bins(errors, paper),
    }


# 3DDFA's map from 68 points to the 21 of AFLW, 0-based; lists are averaged.
MAP = [17, 19, 21, 22, 24, 26, 36, range(36, 42), 39, 42, range(42, 48), 45, 2, 31, 30, 35, 14, 48, range(60, 68), 54, 8]


def main():
    reannotated = np.linalg.norm(preds - again, axis=1).mean(1) / size(again)
    mapped = np.stack([preds[:, :, list(m) if isinstance(m, range) else [m]].mean(2) for m in MAP], 2)
    seen = visible21[:, 0] != -1
    # pt3d_68 counts from the picture's corner, pt2d from 1 at the first pixel's centre: half a pixel apart.
    distances = np.linalg.norm((mapped - 0.5) - (visible21 - 1), axis=1) * seen
    visible = distances.sum(1) / seen.sum(1) / size(preds)
    original = np.linalg.norm(again - preds, axis=1).mean(1) / size(preds)
    golden = {
        'script': 'scripts/golden/aflw2000_protocols.py',
        'original': both(original),
        'reannotated': both(reannotated),
        'visible21': both(visible),
    }
    path = Path(__file__).resolve().parents[2] / 'packages/voxface/test/golden/aflw2000-protocols.json'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(golden, indent=1) + '\n')
    print(path.read_text())


if __name__ == '__main__':
    main()
