import { applySimilarity, boxOf, centerDepth, fitSimilarity, type Landmarks } from '@voxface/landmarks';
import type { FaceModel } from './face-model.ts';
import { fitBasis, shapeOfWeights } from './fit-state.ts';
import { solveSymmetric } from './weak-perspective.ts';

/** Standard deviation of each coordinate of the given landmarks, as a share of sqrt(width x height) of their box. */
const NOISE = 0.01;
const ROUNDS = 8;

/**
 * The shape of a landmark model that lies nearest to 68 landmarks in space: similarity and weights in turn, the weights by
 * ridge regression, the maximum a posteriori under their Gaussian prior. Pose is that of the given landmarks, because
 * their depth is believed as much as x and y: a shape that was turned stays turned by as much.
 * @param model without landmark offsets, usually `openBfm68`.
 * @param landmarks [68, 3] pixels.
 * @returns [68, 3] pixels, z zero-mean.
 * @throws RangeError when there are not 68 landmarks, or they span no box.
 */
export function fitShape(model: FaceModel, landmarks: Landmarks<3>): Landmarks<3> {
  if (landmarks.points.length !== 3 * 68) {
    throw new RangeError(`fitShape: expected [68, 3] landmarks, got ${landmarks.points.length} numbers`);
  }
  const { width, height } = boxOf(landmarks);
  if (!(width * height > 0)) {
    throw new RangeError(`fitShape: landmarks must span a box, got ${width} x ${height} pixels`);
  }
  const basis = fitBasis(model, model.identity.count);
  const rows = Array.from(basis.landmarkRows, (row) => [3 * row, 3 * row + 1, 3 * row + 2]).flat();
  const weights = new Float64Array(basis.modes);
  const shape = new Float64Array(basis.mean.length);
  const own = (): Landmarks<3> => {
    shapeOfWeights(basis, weights, shape);
    return { points: Float32Array.from(rows, (at) => shape[at]), dims: 3 };
  };
  for (let round = 0; round < ROUNDS; round++) {
    // What the landmarks are in head axes and model units.
    const back = fitSimilarity(landmarks, own());
    const target = applySimilarity(landmarks, back).points;
    solveWeights(basis, rows, target, NOISE * Math.sqrt(width * height) * back.scale, weights);
  }
  const fitted = own();
  return centerDepth(applySimilarity(fitted, fitSimilarity(fitted, landmarks)));
}

/** Ridge regression: (O^T O / noise^2 + precision) w = O^T (target - mean) / noise^2, then the bounds. */
function solveWeights(
  basis: ReturnType<typeof fitBasis>,
  rows: readonly number[],
  target: ArrayLike<number>,
  noise: number,
  weights: Float64Array,
): void {
  const { modes, mean, offsets, precision, lower, upper } = basis;
  const normal = new Float64Array(modes * modes);
  const right = new Float64Array(modes);
  const belief = 1 / noise ** 2;
  rows.forEach((at, k) => {
    const error = target[k] - mean[at];
    const first = at * modes;
    for (let a = 0; a < modes; a++) {
      const offset = belief * offsets[first + a];
      right[a] += offset * error;
      for (let b = 0; b <= a; b++) normal[a * modes + b] += offset * offsets[first + b];
    }
  });
  for (let a = 0; a < modes; a++) normal[a * modes + a] += precision[a];
  if (!solveSymmetric(normal, right, modes)) return;
  for (let a = 0; a < modes; a++) weights[a] = Math.min(upper[a], Math.max(lower[a], right[a]));
}
