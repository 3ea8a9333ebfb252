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
rows = ',\n'.join('  ' + ', '.join(f'{v:.4f}'.rstrip('0').rstrip('.').replace('-0,', '0,') for v in p) for p in shape)
rows = rows.replace('-0,', '0,').replace('-0\n', '0\n')

out = pathlib.Path(__file__).parents[2] / 'packages/landmarks/src/mean-face.ts'
out.write_text(f"""import type {{ Landmarks }} from './landmarks.ts';

// Written by scripts/golden/landmarks_mean_face.py from ICT-FaceKit Light, Copyright (c) 2020 USC Institute for
// Creative Technologies, MIT licence.
// biome-ignore format: one landmark per line
const POINTS = [
{rows},
];

/**
 * A frontal, neutral, average head: the 68 landmarks [68, 3] of ICT-FaceKit's neutral model in house axes. Unit:
 * distance of the outer eye corners; zero mean. The jaw line is midway between visible contour and true 3D jaw.
 */
export const MEAN_FACE_68: Landmarks<3> = {{ points: Float32Array.from(POINTS), dims: 3 }};
""")
