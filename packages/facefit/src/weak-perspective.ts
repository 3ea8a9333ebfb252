import { type Matrix3, multiply3, rotationOfVector } from './rotation.ts';

/** Scaled orthographic camera: x = scale (R X).x + tx, y = scale (R X).y + ty, depth = scale (R X).z. */
interface WeakPerspective {
  readonly rotation: Matrix3;
  /** Pixels per model unit. */
  readonly scale: number;
  /** Pixels [2]. */
  readonly translation: readonly [number, number];
}

/**
 * Weighted least squares camera from point pairs. Starts from the affine camera's normal equations (POS), brings
 * its two rows to the nearest pair of equally long orthogonal rows, then refines by Gauss-Newton over the six pose
 * parameters.
 * @param points [n, 3] model points, head axes.
 * @param targets [n, 2] pixels.
 * @param weights [n], at least four positive ones on points that are not in one plane.
 * @throws RangeError when the points do not fix a camera.
 */
export function fitWeakPerspective(
  points: ArrayLike<number>,
  targets: ArrayLike<number>,
  weights: ArrayLike<number>,
  iterations = 8,
): WeakPerspective {
  let camera = affineStart(points, targets, weights);
  for (let i = 0; i < iterations; i++) camera = refine(camera, points, targets, weights);
  return camera;
}

function affineStart(
  points: ArrayLike<number>,
  targets: ArrayLike<number>,
  weights: ArrayLike<number>,
): WeakPerspective {
  const normal = new Float64Array(16);
  const right = [new Float64Array(4), new Float64Array(4)];
  const row = new Float64Array(4);
  row[3] = 1;
  for (let i = 0; i < weights.length; i++) {
    for (let k = 0; k < 3; k++) row[k] = points[3 * i + k];
    for (let a = 0; a < 4; a++) {
      right[0][a] += weights[i] * row[a] * targets[2 * i];
      right[1][a] += weights[i] * row[a] * targets[2 * i + 1];
      for (let b = 0; b < 4; b++) normal[4 * a + b] += weights[i] * row[a] * row[b];
    }
  }
  const u = right[0];
  const v = right[1];
  if (!solveSymmetric(Float64Array.from(normal), u, 4) || !solveSymmetric(normal, v, 4)) {
    throw new RangeError(
      `fitWeakPerspective: needs four or more weighted points that are not in one plane, got ${weights.length}`,
    );
  }
  const lengthU = Math.hypot(u[0], u[1], u[2]);
  const lengthV = Math.hypot(v[0], v[1], v[2]);
  // Symmetric orthogonalisation of the two unit rows keeps both equally close to what was measured.
  const a = [u[0] / lengthU, u[1] / lengthU, u[2] / lengthU];
  const b = [v[0] / lengthV, v[1] / lengthV, v[2] / lengthV];
  const sum = normalize([a[0] + b[0], a[1] + b[1], a[2] + b[2]]);
  const difference = normalize([a[0] - b[0], a[1] - b[1], a[2] - b[2]]);
  const h = Math.SQRT1_2;
  const x = [0, 1, 2].map((k) => h * (sum[k] + difference[k]));
  const y = [0, 1, 2].map((k) => h * (sum[k] - difference[k]));
  const z = [x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]];
  return {
    rotation: Float64Array.from([...x, ...y, ...z]),
    scale: (lengthU + lengthV) / 2,
    translation: [u[3], v[3]],
  };
}

function refine(
  camera: WeakPerspective,
  points: ArrayLike<number>,
  targets: ArrayLike<number>,
  weights: ArrayLike<number>,
): WeakPerspective {
  const { rotation: r, scale: s } = camera;
  const normal = new Float64Array(36);
  const step = new Float64Array(6);
  for (let i = 0; i < weights.length; i++) {
    const [x, y, z] = [points[3 * i], points[3 * i + 1], points[3 * i + 2]];
    const qx = s * (r[0] * x + r[1] * y + r[2] * z);
    const qy = s * (r[3] * x + r[4] * y + r[5] * z);
    const qz = s * (r[6] * x + r[7] * y + r[8] * z);
    const rows = [
      [0, qz, -qy, qx, 1, 0],
      [-qz, 0, qx, qy, 0, 1],
    ];
    const errors = [
      targets[2 * i] - qx - camera.translation[0],
      targets[2 * i + 1] - qy - camera.translation[1],
    ];
    for (let e = 0; e < 2; e++) {
      for (let a = 0; a < 6; a++) {
        step[a] += weights[i] * rows[e][a] * errors[e];
        for (let b = 0; b < 6; b++) normal[6 * a + b] += weights[i] * rows[e][a] * rows[e][b];
      }
    }
  }
  if (!solveSymmetric(normal, step, 6)) return camera;
  return {
    rotation: multiply3(rotationOfVector(step), r),
    scale: s * Math.exp(Math.min(0.5, Math.max(-0.5, step[3]))),
    translation: [camera.translation[0] + step[4], camera.translation[1] + step[5]],
  };
}

function normalize(v: number[]): number[] {
  const length = Math.hypot(v[0], v[1], v[2]) || 1;
  return v.map((value) => value / length);
}

/**
 * Solves A x = b by Cholesky for a symmetric positive definite A; only the lower triangle of A is read.
 * @param matrix [n, n] row-major, overwritten by its factor.
 * @param right [n], overwritten by the solution.
 * @returns false when A is not positive definite (then `right` is not the solution).
 */
export function solveSymmetric(matrix: Float64Array, right: Float64Array, n: number): boolean {
  for (let j = 0; j < n; j++) {
    const rowJ = j * n;
    let pivot = matrix[rowJ + j];
    for (let k = 0; k < j; k++) pivot -= matrix[rowJ + k] * matrix[rowJ + k];
    if (!(pivot > 0)) return false;
    const diagonal = Math.sqrt(pivot);
    matrix[rowJ + j] = diagonal;
    for (let i = j + 1; i < n; i++) {
      const rowI = i * n;
      let sum = matrix[rowI + j];
      for (let k = 0; k < j; k++) sum -= matrix[rowI + k] * matrix[rowJ + k];
      matrix[rowI + j] = sum / diagonal;
    }
  }
  for (let i = 0; i < n; i++) {
    let sum = right[i];
    for (let k = 0; k < i; k++) sum -= matrix[i * n + k] * right[k];
    right[i] = sum / matrix[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = right[i];
    for (let k = i + 1; k < n; k++) sum -= matrix[k * n + i] * right[k];
    right[i] = sum / matrix[i * n + i];
  }
  return true;
}
