"""Makes the 68-landmark face that the plot tests draw, and the triangles of the shaded surface.

usage: python scripts/golden/plots-face.py ICT_FACEKIT_FOLDER
Reads the neutral head of ICT-FaceKit Light (MIT). Writes packages/plots/test/golden/face.json (house axes,
unit: face heights, zero mean) and prints the triangles that packages/plots/src/surfaces/ibug-68.ts holds:
the Delaunay triangulation of the frontal view, without the triangles inside the lips, the eyes and between the brows.
"""

import json
import sys
from pathlib import Path

import numpy as np
from scipy.spatial import Delaunay

folder = Path(sys.argv[1])
kit = json.loads((folder / "facekit.json").read_text())
head = np.load(folder / "neutral.npy")[kit["landmarks68"]]
face = head * np.array([1, -1, -1])
face -= face.mean(axis=0)
face /= np.ptp(face[:, 1])
inside = [set(range(60, 68)), set(range(36, 42)), set(range(42, 48)), set(range(17, 27))]
triangles = [sorted(map(int, t)) for t in Delaunay(face[:, :2]).simplices]
triangles = sorted(t for t in triangles if not any(set(t) <= part for part in inside))

out = Path(__file__).parents[2] / "packages/plots/test/golden/face.json"
out.write_text(json.dumps({"points": [round(float(v), 5) for v in face.ravel()]}) + "\n")
print(len(triangles))
print("  " + ", ".join(str(i) for t in triangles for i in t) + ",")
