import { type Box, boxOf, checkBox } from './box.ts';
import type { Landmarks } from './landmarks.ts';
import { IBUG_68 } from './schemes.ts';

// Written by scripts/golden/landmarks_mean_face.py from ICT-FaceKit Light, Copyright (c) 2020 USC Institute for
// Creative Technologies, MIT licence. The head is symmetric: the second landmark of each mirror pair is left out.
// biome-ignore format: one landmark per line
const HALF_IN_THOUSANDTHS = [
  -831, -419, 691,
  -814, -163, 669,
  -774, 74, 628,
  -721, 314, 552,
  -620, 524, 403,
  -488, 662, 247,
  -342, 738, 64,
  -172, 776, -104,
  0, 811, -122,
  -652, -620, 161,
  -553, -708, 40,
  -425, -739, -54,
  -271, -732, -128,
  -131, -700, -155,
  0, -457, -156,
  0, -333, -244,
  0, -218, -332,
  0, -83, -418,
  -141, 91, -171,
  -68, 90, -233,
  0, 98, -249,
  -500, -422, 83,
  -434, -472, -2,
  -312, -479, -21,
  -207, -402, 17,
  -306, -383, -8,
  -432, -382, 13,
  -284, 357, -95,
  -191, 274, -211,
  -82, 234, -268,
  0, 241, -280,
  202, 417, -174,
  116, 445, -229,
  0, 453, -247,
  -248, 354, -88,
  -112, 332, -195,
  0, 335, -217,
  120, 342, -190,
  0, 344, -214,
];

/**
 * A frontal, neutral, average head: the 68 landmarks [68, 3] of ICT-FaceKit's neutral model in voxface axes. Unit:
 * distance of the outer eye corners; zero mean. The jaw line is midway between visible contour and true 3D jaw.
 */
export const MEAN_FACE_68: Landmarks<3> = { points: mirrorHalf(HALF_IN_THOUSANDTHS), dims: 3 };

/**
 * The mean face, frontal, scaled to a box's area and centred in it: a first guess, and what any model must beat.
 * @param box of the 68 landmarks, pixels.
 * @returns [68, 3] pixels.
 * @throws RangeError when the box has no area.
 * @example
 * ```js
 * import { boxOf, meanFaceInBox } from '@voxface/landmarks';
 *
 * const guess = meanFaceInBox({ x: 100, y: 60, width: 80, height: 80 });
 * const { x, width } = boxOf(guess);
 * console.log(Math.round(x + width / 2)); // => 140
 * ```
 */
export function meanFaceInBox(box: Box): Landmarks<3> {
  checkBox(box, 'meanFaceInBox');
  if (!(box.width > 0 && box.height > 0 && Number.isFinite(box.x + box.y + box.width + box.height))) {
    throw new RangeError(
      `meanFaceInBox: expected a box with positive finite size, got ${JSON.stringify(box)}`,
    );
  }
  const mean = boxOf(MEAN_FACE_68);
  const scale = Math.sqrt((box.width * box.height) / (mean.width * mean.height));
  const center = [box.x + box.width / 2, box.y + box.height / 2, 0];
  const middle = [mean.x + mean.width / 2, mean.y + mean.height / 2, 0];
  return { points: MEAN_FACE_68.points.map((v, i) => (v - middle[i % 3]) * scale + center[i % 3]), dims: 3 };
}

function mirrorHalf(half: readonly number[]): Float32Array {
  const seconds = new Set(IBUG_68.mirrorPairs.map(([, second]) => second));
  const points = new Float32Array(IBUG_68.count * 3);
  let next = 0;
  for (let i = 0; i < IBUG_68.count; i++) {
    if (!seconds.has(i)) points.set(half.slice(next, (next += 3)), 3 * i);
  }
  for (const [first, second] of IBUG_68.mirrorPairs) {
    const [x, y, z] = points.subarray(3 * first, 3 * first + 3);
    points.set([-x, y, z], 3 * second);
  }
  return points.map((value) => value / 1000);
}
