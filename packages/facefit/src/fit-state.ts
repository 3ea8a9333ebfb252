import type { FitBasis } from './fit-basis.ts';
import { type Matrix3, multiply3, rotationOfVector } from './rotation.ts';
import { solveSymmetric } from './solve-symmetric.ts';

/** Pose (scaled orthographic) and weights while they are being fitted; `translation` in normalised image units. */
export interface FitState {
  rotation: Matrix3;
  scale: number;
  translation: [number, number];
  /** [m]. */
  readonly weights: Float64Array;
}

/** One landmark's pull: a gathered row toward a target, with its own two error axes. */
export interface Pull {
  /** 0..67, iBUG order. */
  readonly landmark: number;
  row: number;
  targetX: number;
  targetY: number;
  /** Unit vector of the first error axis; the second is perpendicular to it. */
  normalX: number;
  normalY: number;
  /** Square roots of the weights along the first and the second axis (1 / standard deviation). */
  normalWeight: number;
  tangentWeight: number;
}

const POSE = 6;

/**
 * One damped Gauss-Newton step over pose (rotation vector, log scale, translation) and weights together. Weights at
 * a bound that the gradient pushes outward are held; the rest is clipped to its bounds after the step.
 * @returns the largest change of the pose parameters (radians, log scale, image units).
 */
export function stepFit(
  state: FitState,
  basis: FitBasis,
  shape: Float64Array,
  pulls: readonly Pull[],
  damping: number,
): number {
  const { modes, offsets, precision, lower, upper } = basis;
  const size = POSE + modes;
  const normal = new Float64Array(size * size);
  const gradient = new Float64Array(size);
  const rows = [new Float64Array(size), new Float64Array(size)];
  const errors = [0, 0];
  const { rotation: r, scale: s, weights } = state;
  for (const pull of pulls) {
    const at = 3 * pull.row;
    const [x, y, z] = [shape[at], shape[at + 1], shape[at + 2]];
    const qx = s * (r[0] * x + r[1] * y + r[2] * z);
    const qy = s * (r[3] * x + r[4] * y + r[5] * z);
    const qz = s * (r[6] * x + r[7] * y + r[8] * z);
    const errorX = pull.targetX - qx - state.translation[0];
    const errorY = pull.targetY - qy - state.translation[1];
    for (let e = 0; e < 2; e++) {
      const weight = e === 0 ? pull.normalWeight : pull.tangentWeight;
      const ax = weight * (e === 0 ? pull.normalX : -pull.normalY);
      const ay = weight * (e === 0 ? pull.normalY : pull.normalX);
      const row = rows[e];
      row[0] = -ay * qz;
      row[1] = ax * qz;
      row[2] = -ax * qy + ay * qx;
      row[3] = ax * qx + ay * qy;
      row[4] = ax;
      row[5] = ay;
      const bx = s * (ax * r[0] + ay * r[3]);
      const by = s * (ax * r[1] + ay * r[4]);
      const bz = s * (ax * r[2] + ay * r[5]);
      const first = at * modes;
      for (let m = 0; m < modes; m++) {
        row[POSE + m] =
          bx * offsets[first + m] + by * offsets[first + modes + m] + bz * offsets[first + 2 * modes + m];
      }
      errors[e] = ax * errorX + ay * errorY;
    }
    addRows(normal, gradient, rows, errors, size);
  }
  for (let a = 0; a < POSE; a++) normal[a * size + a] *= 1 + damping;
  for (let m = 0; m < modes; m++) {
    const a = POSE + m;
    normal[a * size + a] += precision[m];
    gradient[a] -= precision[m] * weights[m];
    const held = (weights[m] <= lower[m] && gradient[a] < 0) || (weights[m] >= upper[m] && gradient[a] > 0);
    if (held) hold(normal, gradient, a, size);
  }
  if (!solveSymmetric(normal, gradient, size)) return 0;
  const turn = Math.hypot(gradient[0], gradient[1], gradient[2]);
  const limit = turn > 0.4 ? 0.4 / turn : 1;
  state.rotation = multiply3(
    rotationOfVector([gradient[0] * limit, gradient[1] * limit, gradient[2] * limit]),
    r,
  );
  state.scale *= Math.exp(Math.min(0.3, Math.max(-0.3, gradient[3])));
  state.translation = [state.translation[0] + gradient[4], state.translation[1] + gradient[5]];
  for (let m = 0; m < modes; m++) {
    weights[m] = Math.min(upper[m], Math.max(lower[m], weights[m] + gradient[POSE + m]));
  }
  return Math.max(turn, Math.abs(gradient[3]), Math.abs(gradient[4]), Math.abs(gradient[5]));
}

/** Adds two rows of the Jacobian to the lower triangle of the normal equations. */
function addRows(
  normal: Float64Array,
  gradient: Float64Array,
  rows: readonly Float64Array[],
  errors: readonly number[],
  size: number,
): void {
  const [first, second] = rows;
  const [firstError, secondError] = errors;
  for (let a = 0; a < size; a++) {
    const u = first[a];
    const v = second[a];
    gradient[a] += u * firstError + v * secondError;
    const line = a * size;
    for (let b = 0; b <= a; b++) normal[line + b] += u * first[b] + v * second[b];
  }
}

/** Takes one unknown out of the system. */
function hold(normal: Float64Array, gradient: Float64Array, index: number, size: number): void {
  for (let b = 0; b < size; b++) {
    normal[index * size + b] = 0;
    normal[b * size + index] = 0;
  }
  normal[index * size + index] = 1;
  gradient[index] = 0;
}
