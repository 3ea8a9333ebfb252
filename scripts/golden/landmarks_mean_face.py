"""Writes packages/landmarks/src/mean-face.ts: the 68 landmarks of ICT-FaceKit's neutral head (MIT).

    python scripts/golden/landmarks_mean_face.py FOLDER      (FOLDER holds neutral.npy and facekit.json)

House axes (x right, y down, z away from the camera); unit: distance of the outer eye corners; zero mean.
Data sets differ in which jaw line they mark (visible contour or true 3D jaw), so the jaw is midway between both.
"""
import json
import pathlib
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1])
kit = json.loads((folder / 'facekit.json').read_text())
head = np.load(folder / 'neutral.npy').astype(float)
contour = kit['landmarks68']
jaw = kit['jaw_right_3d_0_7'] + [contour[8]] + kit['jaw_left_3d_9_16'] + contour[17:]
shape = (head[contour] + head[jaw]) / 2 * [1, -1, -1]
shape -= shape.mean(axis=0)
shape /= np.linalg.norm(shape[36] - shape[45])
runs = [(0, 16, 8), (17, 26, 5), (36, 45, 4), (40, 47, 2), (31, 35, 2), (48, 54, 3), (55, 59, 2), (60, 64, 2), (65, 67, 1)]
pairs = [(first + i, last - i) for first, last, count in runs for i in range(count)]
for a, b in pairs:  # the model is symmetric: one side is enough
    assert np.allclose(shape[a], shape[b] * [-1, 1, 1], atol=2e-3), (a, b)
seconds = {b for _, b in pairs}


rows = ',\n'.join('  ' + ', '.join(str(round(1000 * v)) for v in shape[i]) for i in range(68) if i not in seconds)

out = pathlib.Path(__file__).parents[2] / 'packages/landmarks/src/mean-face.ts'
out.write_text(f"""import type {{ Landmarks }} from './landmarks.ts';
import {{ IBUG_68 }} from './schemes.ts';

// Written by scripts/golden/landmarks_mean_face.py from ICT-FaceKit Light, Copyright (c) 2020 USC Institute for
// Creative Technologies, MIT licence. The head is symmetric: the second landmark of each mirror pair is left out.
// biome-ignore format: one landmark per line
const HALF_IN_THOUSANDTHS = [
{rows},
];

/**
 * A frontal, neutral, average head: the 68 landmarks [68, 3] of ICT-FaceKit's neutral model in house axes. Unit:
 * distance of the outer eye corners; zero mean. The jaw line is midway between visible contour and true 3D jaw.
 */
export const MEAN_FACE_68: Landmarks<3> = {{ points: mirrorHalf(HALF_IN_THOUSANDTHS), dims: 3 }};

function mirrorHalf(half: readonly number[]): Float32Array {{
  const seconds = new Set(IBUG_68.mirrorPairs.map(([, second]) => second));
  const points = new Float32Array(IBUG_68.count * 3);
  let next = 0;
  for (let i = 0; i < IBUG_68.count; i++) {{
    if (!seconds.has(i)) points.set(half.slice(next, (next += 3)), 3 * i);
  }}
  for (const [first, second] of IBUG_68.mirrorPairs) {{
    const [x, y, z] = points.subarray(3 * first, 3 * first + 3);
    points.set([-x, y, z], 3 * second);
  }}
  return points.map((value) => value / 1000);
}}
""")
