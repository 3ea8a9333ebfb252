"""Oracle for facefit: rotations by scipy Rotation, weak-perspective cameras by scipy least_squares.

python scripts/golden/facefit.py > packages/facefit/test/golden/rotation-and-camera.json
"""
import json

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

generator = np.random.default_rng(5)
rotations, cameras = [], []
for yaw, pitch, roll in [(0, 0, 0), (40, 10, -5), (-75, -20, 30), (89, 35, 12), (130, 5, -8)]:
    matrix = Rotation.from_euler("XYZ", [-pitch, -yaw, roll], degrees=True).as_matrix()
    rotations.append({"pose": {"yaw": yaw, "pitch": pitch, "roll": roll}, "matrix": matrix.ravel().tolist()})
for case in range(4):
    points = generator.normal(size=(20, 3)) * [7, 9, 4]
    truth = Rotation.random(rng=generator)
    scale, shift = generator.uniform(5, 20), generator.uniform(100, 300, 2)
    targets = scale * truth.apply(points)[:, :2] + shift + generator.normal(size=(20, 2)) * 2
    weights = generator.uniform(0.2, 1, 20)

    def errors(p):
        moved = np.exp(p[3]) * (Rotation.from_rotvec(p[:3]) * truth).apply(points)[:, :2] + p[4:]
        return (np.sqrt(weights)[:, None] * (moved - targets)).ravel()

    best = least_squares(errors, [0, 0, 0, np.log(scale), *shift], xtol=1e-14, ftol=1e-14, gtol=1e-14).x
    cameras.append({
        "points": points.ravel().tolist(),
        "targets": targets.ravel().tolist(),
        "weights": weights.tolist(),
        "rotation": (Rotation.from_rotvec(best[:3]) * truth).as_matrix().ravel().tolist(),
        "scale": float(np.exp(best[3])),
        "translation": best[4:].tolist(),
    })
print(json.dumps({"rotations": rotations, "cameras": cameras}))
