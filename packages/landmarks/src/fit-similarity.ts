import { checkLandmarks, countLandmarks, describeValue, type Landmarks } from './landmarks.ts';

/** A similarity x' = scale * rotation x + translation; the rotation never mirrors. */
export interface Similarity {
  readonly scale: number;
  /** Row-major [dims, dims], determinant +1. */
  readonly rotation: readonly number[];
  /** [dims]. */
  readonly translation: readonly number[];
}

/**
 * The similarity that maps `from` onto `onto` with the least sum of squared distances (Umeyama's problem). In 3D the
 * rotation is Horn's unit quaternion, in 2D the closed form; neither can be a reflection.
 * @param from [n, D].
 * @param onto [n, D], any unit.
 * @throws RangeError when counts or dimensions differ, or all points of `from` coincide.
 * @example
 * ```js
 * import { createLandmarks, fitSimilarity } from '@voxface/landmarks';
 *
 * const from = createLandmarks([0, 0, 10, 0, 0, 10], 2);
 * const onto = createLandmarks([5, 5, 25, 5, 5, 25], 2);
 * console.log(fitSimilarity(from, onto).scale.toFixed(2)); // => 2.00
 * ```
 */
export function fitSimilarity<D extends 2 | 3>(from: Landmarks<D>, onto: Landmarks<D>): Similarity {
  const { dims } = checkLandmarks(from, 'fitSimilarity', 'from');
  checkLandmarks(onto, 'fitSimilarity', 'onto');
  const n = countLandmarks(from);
  if (onto.dims !== dims || countLandmarks(onto) !== n) {
    throw new RangeError(
      `fitSimilarity: both shapes must have the same size, got [${n}, ${dims}] and [${countLandmarks(onto)}, ${onto.dims}]`,
    );
  }
  const centerA = centroid(from);
  const centerB = centroid(onto);
  const cross = new Float64Array(dims * dims);
  let spread = 0;
  for (let i = 0; i < n; i++) {
    for (let r = 0; r < dims; r++) {
      const a = from.points[i * dims + r] - centerA[r];
      spread += a * a;
      for (let c = 0; c < dims; c++) cross[r * dims + c] += a * (onto.points[i * dims + c] - centerB[c]);
    }
  }
  if (!(spread > 0)) {
    throw new RangeError(`fitSimilarity: the points must not all coincide, got a spread of ${spread}`);
  }
  const rotation = dims === 3 ? rotationOfSpace(cross) : rotationOfPlane(cross);
  let scale = 0;
  for (let r = 0; r < dims; r++) {
    for (let c = 0; c < dims; c++) scale += (rotation[c * dims + r] * cross[r * dims + c]) / spread;
  }
  const translation = centerB.map((value, r) => {
    let turned = 0;
    for (let c = 0; c < dims; c++) turned += rotation[r * dims + c] * centerA[c];
    return value - scale * turned;
  });
  return { scale, rotation, translation };
}

/** Maps a shape by a similarity. */
export function applySimilarity<D extends 2 | 3>(shape: Landmarks<D>, similarity: Similarity): Landmarks<D> {
  const { dims } = checkLandmarks(shape, 'applySimilarity');
  if (similarity?.rotation?.length !== dims * dims || similarity.translation?.length !== dims) {
    throw new TypeError(
      `applySimilarity: the similarity must have ${dims} dimensions, got ${describeValue(similarity)} (make it with fitSimilarity)`,
    );
  }
  const { scale, rotation, translation } = similarity;
  const points = new Float32Array(shape.points.length);
  for (let at = 0; at < points.length; at += dims) {
    for (let r = 0; r < dims; r++) {
      let turned = 0;
      for (let c = 0; c < dims; c++) turned += rotation[r * dims + c] * shape.points[at + c];
      points[at + r] = scale * turned + translation[r];
    }
  }
  return { points, dims };
}

/**
 * Mean of the points, [dims].
 * @internal
 */
export function centroid(shape: Landmarks): number[] {
  checkLandmarks(shape, 'centroid');
  const mean = new Array<number>(shape.dims).fill(0);
  const n = countLandmarks(shape);
  shape.points.forEach((value, i) => {
    mean[i % shape.dims] += value / n;
  });
  return mean;
}

function rotationOfPlane(cross: Float64Array): number[] {
  const angle = Math.atan2(cross[1] - cross[2], cross[0] + cross[3]);
  return [Math.cos(angle), -Math.sin(angle), Math.sin(angle), Math.cos(angle)];
}

/** Horn 1987, "Closed-form solution of absolute orientation using unit quaternions". */
function rotationOfSpace(cross: Float64Array): number[] {
  const [xx, xy, xz, yx, yy, yz, zx, zy, zz] = cross;
  const [a, b, c] = [yz - zy, zx - xz, xy - yx];
  const [d, e, f] = [xy + yx, zx + xz, yz + zy];
  // biome-ignore format: a symmetric matrix
  const [w, x, y, z] = largestEigenvector([
    xx + yy + zz, a, b, c,
    a, xx - yy - zz, d, e,
    b, d, yy - xx - zz, f,
    c, e, f, zz - xx - yy,
  ]);
  return [
    1 - 2 * (y * y + z * z),
    2 * (x * y - w * z),
    2 * (x * z + w * y),
    2 * (x * y + w * z),
    1 - 2 * (x * x + z * z),
    2 * (y * z - w * x),
    2 * (x * z - w * y),
    2 * (y * z + w * x),
    1 - 2 * (x * x + y * y),
  ];
}

/** Squarings: an eigenvalue that is a millionth smaller than the largest fades in 36 of them. */
const SQUARINGS = 40;

/**
 * Unit eigenvector of the largest eigenvalue of a small symmetric matrix: the matrix, shifted so that no eigenvalue is
 * negative, is squared until only the wanted direction is left. Of several equal largest eigenvalues any one serves.
 * @param symmetric [n, n] row-major; not changed.
 */
function largestEigenvector(symmetric: readonly number[]): number[] {
  const n = Math.sqrt(symmetric.length);
  const size = Math.hypot(...symmetric) || 1;
  let a = symmetric.map((value, i) => value / size + (i % (n + 1) === 0 ? 1 : 0));
  for (let step = 0; step < SQUARINGS; step++) {
    const squared = a.map((_, at) => {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += a[at - (at % n) + k] * a[k * n + (at % n)];
      return sum;
    });
    const most = Math.max(...squared);
    a = squared.map((value) => value / most);
  }
  // Every column is a multiple of the eigenvector; the one with the largest entry on the diagonal is the longest.
  let best = 0;
  for (let i = 1; i < n; i++) if (a[i * n + i] > a[best * n + best]) best = i;
  const column = a.filter((_, at) => at % n === best);
  const length = Math.hypot(...column);
  return column.map((value) => value / length);
}
