"""Writes packages/facefit/test/golden/linear-basis.json: a small made-up morphable face in the layouts of BFM 2009,
Deep3D and FLAME, written by SciPy and NumPy (base64), and what a reader must make of them.

Run from the repository's root: python scripts/golden/facefit_basis.py   (needs numpy and scipy)
"""

import base64
import io
import json
from pathlib import Path

import numpy as np
import scipy.io as sio

ROWS, COLUMNS = 9, 14


def head(latitude, longitude):
    """A point of an egg-shaped head: y up, z out of the face; longitude 0 looks ahead."""
    level = np.cos(latitude)
    x = 0.8 * level * np.sin(longitude)
    y = 1.1 * np.sin(latitude)
    z = 0.95 * level * np.cos(longitude)
    nose = 0.35 * np.exp(-((x / 0.15) ** 2) - ((y + 0.1) / 0.25) ** 2) * (z > 0)
    return np.stack([x, y, z + nose], -1)


def on_face(x, y):
    """The point of the face that projects to x, y."""
    latitude = np.arcsin(np.clip(np.asarray(y) / 1.1, -0.99, 0.99))
    longitude = np.arcsin(np.clip(np.asarray(x) / (0.8 * np.cos(latitude)), -1, 1))
    return head(latitude, longitude)


def ring(center_x, center_y, radius_x, radius_y, angles):
    return center_x + radius_x * np.cos(angles), center_y + radius_y * np.sin(angles)


def landmarks():
    """68 points in iBUG order; the subject's right is at negative x."""
    turn = np.linspace(-np.pi / 2, np.pi / 2, 17)
    jaw = head(np.radians(-5) - np.radians(50) * np.cos(turn), turn * 0.95)
    brows = [on_face(x, 0.42 + 0.06 * np.sin(np.pi * np.arange(5) / 4)) for x in (np.linspace(-0.55, -0.12, 5), np.linspace(0.12, 0.55, 5))]
    bridge = on_face(np.zeros(4), np.linspace(0.28, -0.1, 4))
    nostrils = on_face(np.linspace(-0.14, 0.14, 5), np.full(5, -0.2))
    clock = np.radians([180, 120, 60, 0, -60, -120])
    eyes = [on_face(*ring(x, 0.25, 0.13, 0.05, clock)) for x in (-0.32, 0.32)]
    outer = on_face(*ring(0, -0.5, 0.27, 0.13, np.radians(180 - 30 * np.arange(12))))
    inner = on_face(*ring(0, -0.5, 0.2, 0.04, np.radians(180 - 45 * np.arange(8))))
    return np.concatenate([jaw, *brows, bridge, nostrils, *eyes, outer, inner])


latitudes, longitudes = np.meshgrid(np.linspace(-1.3, 1.3, ROWS), np.linspace(-np.pi, np.pi, COLUMNS, endpoint=False), indexing="ij")
grid = head(latitudes, longitudes).reshape(-1, 3)
mean = np.concatenate([grid, landmarks()]).astype(np.float32).round(3)
vertices = len(mean)
triangles = []
for row in range(ROWS - 1):
    for column in range(COLUMNS):
        a, b = row * COLUMNS + column, row * COLUMNS + (column + 1) % COLUMNS
        triangles += [[a, b, a + COLUMNS], [b, b + COLUMNS, a + COLUMNS]]
triangles = np.array(triangles, np.int32)
lower = np.clip(-mean[:, 1], 0, 1)
identity = np.stack([
    mean * [0.08, 0, 0],
    mean * [0, 0.06, 0.02],
    np.stack([0 * lower, 0 * lower, np.exp(-((mean[:, 0] / 0.2) ** 2) - ((mean[:, 1] + 0.1) / 0.3) ** 2) * 0.06 * (mean[:, 2] > 0)], -1),
]).astype(np.float32).round(4)
expression = np.stack([
    np.stack([0 * lower, -0.1 * lower, 0 * lower], -1),
    np.stack([0.1 * mean[:, 0] * lower, 0 * lower, 0 * lower], -1),
]).astype(np.float32).round(4)
vertex_of_landmark = np.arange(len(grid), vertices)
deviation = np.array([2.0, 4.0, 0.5])
stacked = lambda modes: modes.reshape(len(modes), -1).T


def mat(**arrays):
    buffer = io.BytesIO()
    sio.savemat(buffer, arrays, do_compression=True)
    return base64.b64encode(buffer.getvalue()).decode()


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return base64.b64encode(buffer.getvalue()).decode()


expression_mean = np.full((vertices * 3, 1), 0.25, np.float32)
golden = {
    # BFM 2009: modes of unit length with their deviations, a mean of the expressions, triangles from 1.
    "bfm": mat(
        shapeMU=mean.reshape(-1, 1) - expression_mean,
        shapePC=stacked(identity) / deviation.astype(np.float32),
        shapeEV=deviation.reshape(-1, 1),
        expMU=expression_mean,
        expPC=stacked(expression),
        tl=triangles + 1,
    ),
    # Deep3D's BFM_model_front: scaled modes, keypoints from 1.
    "deep3d": mat(
        meanshape=mean.reshape(1, -1),
        idBase=stacked(identity),
        exBase=stacked(expression),
        tri=triangles.T + 1,
        keypoints=vertex_of_landmark.reshape(1, -1) + 1,
    ),
    "flame": npz(
        v_template=mean,
        shapedirs=np.moveaxis(identity, 0, -1).copy(),
        expressiondirs=np.moveaxis(expression, 0, -1).copy(),
        f=triangles.astype(np.uint32),
        landmarks=vertex_of_landmark,
        note=np.array("text is left out"),
    ),
    "struct": mat(model={"shapeMU": mean.reshape(-1, 1)}),
    "landmarks": vertex_of_landmark.tolist(),
    "triangles": triangles.ravel().tolist(),
    "mean": [round(float(x), 3) for x in mean.ravel()],
    "identity": [[round(float(x), 4) for x in mode.ravel()] for mode in identity],
    "expression": [[round(float(x), 4) for x in mode.ravel()] for mode in expression],
}
out = Path("packages/facefit/test/golden/linear-basis.json")
out.write_text(json.dumps(golden))
print(out, out.stat().st_size, "bytes;", vertices, "vertices")
