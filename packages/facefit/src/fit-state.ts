import type { FaceModel } from './face-model.ts';
import { type Matrix3, multiply3, rotationOfVector } from './rotation.ts';
import { solveSymmetric } from './weak-perspective.ts';

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

/** The rows of a face model that fitting touches, gathered once per model and choice of modes. */
export interface FitBasis {
  /** Number of weights m: identity modes first, then expression modes. */
  readonly modes: number;
  readonly identityModes: number;
  /** Expression mode behind each weight identityModes.. */
  readonly expressionIndex: readonly number[];
  /** [u, 3] mean positions of the gathered vertices. */
  readonly mean: Float64Array;
  /** [u, 3, m]. */
  readonly offsets: Float64Array;
  /** [m] 1 / prior variance. */
  readonly precision: Float64Array;
  readonly lower: Float64Array;
  readonly upper: Float64Array;
  /** Gathered row of each landmark [68], and of each path vertex of the 17 jaw landmarks. */
  readonly landmarkRows: readonly number[];
  readonly pathRows: readonly (readonly number[])[];
}

const cache = new WeakMap<FaceModel, Map<number, FitBasis>>();

/** Gathers landmark and contour path vertices of the first `identityModes` identity modes and all bounded expressions. */
export function fitBasis(model: FaceModel, identityModes: number): FitBasis {
  const known = cache.get(model) ?? new Map<number, FitBasis>();
  cache.set(model, known);
  const found = known.get(identityModes);
  if (found) return found;
  const basis = gather(model, Math.min(identityModes, model.identity.count));
  known.set(identityModes, basis);
  return basis;
}

function gather(model: FaceModel, identityModes: number): FitBasis {
  const vertices: number[] = [];
  const rows = new Map<number, number>();
  const rowOf = (vertex: number): number => {
    let row = rows.get(vertex);
    if (row === undefined) {
      row = vertices.push(vertex) - 1;
      rows.set(vertex, row);
    }
    return row;
  };
  // Landmarks get rows of their own: an offset moves the point, not the vertex that a contour path may use.
  const landmarkRows = Array.from(model.landmarks, (vertex) => vertices.push(vertex) - 1);
  const pathRows = model.contourPaths.map((path) => Array.from(path, rowOf));
  const { identity, expression } = model;
  const expressionIndex = Array.from({ length: expression.count }, (_, i) => i).filter(
    (i) => expression.bounds[2 * i + 1] > expression.bounds[2 * i],
  );
  const modes = identityModes + expressionIndex.length;
  const mean = new Float64Array(vertices.length * 3);
  const offsets = new Float64Array(vertices.length * 3 * modes);
  const precision = new Float64Array(modes);
  const lower = new Float64Array(modes);
  const upper = new Float64Array(modes);
  const stride = model.mean.length;
  vertices.forEach((vertex, row) => {
    for (let axis = 0; axis < 3; axis++) {
      const offset = row < 68 ? model.landmarkOffsets[3 * row + axis] : 0;
      mean[3 * row + axis] = model.mean[3 * vertex + axis] + offset;
    }
  });
  for (let mode = 0; mode < modes; mode++) {
    const set = mode < identityModes ? identity : expression;
    const index = mode < identityModes ? mode : expressionIndex[mode - identityModes];
    precision[mode] = 1 / set.deviation[index] ** 2;
    lower[mode] = set.bounds[2 * index];
    upper[mode] = set.bounds[2 * index + 1];
    vertices.forEach((vertex, row) => {
      for (let axis = 0; axis < 3; axis++) {
        offsets[(3 * row + axis) * modes + mode] = set.offsets[index * stride + 3 * vertex + axis];
      }
    });
  }
  return {
    modes,
    identityModes,
    expressionIndex,
    mean,
    offsets,
    precision,
    lower,
    upper,
    landmarkRows,
    pathRows,
  };
}

/** Positions [u, 3] of the gathered vertices for weights [m]. */
export function shapeOfWeights(basis: FitBasis, weights: Float64Array, out: Float64Array): Float64Array {
  const { mean, offsets, modes } = basis;
  for (let i = 0; i < mean.length; i++) {
    let sum = mean[i];
    const at = i * modes;
    for (let mode = 0; mode < modes; mode++) sum += offsets[at + mode] * weights[mode];
    out[i] = sum;
  }
  return out;
}

/** What jaw landmarks mark, see `FitFaceOptions.jaw`. */
export type JawLine = 'contour' | 'vertices' | 'ignore';

/**
 * One pull per landmark that takes part, toward its target; those of the jaw along the normal of the annotated line,
 * outward.
 * @param targets [68, 2] normalised image units.
 * @param given [68] whether the landmark was annotated; the others pull at nothing.
 */
export function createPulls(
  basis: FitBasis,
  targets: Float64Array,
  given: readonly boolean[],
  jaw: JawLine,
): Pull[] {
  let [innerX, innerY, inner] = [0, 0, 0];
  for (let i = 17; i < 68; i++) {
    if (!given[i]) continue;
    innerX += targets[2 * i];
    innerY += targets[2 * i + 1];
    inner++;
  }
  innerX /= inner;
  innerY /= inner;
  const pulls: Pull[] = [];
  for (let i = jaw === 'ignore' ? 17 : 0; i < 68; i++) {
    if (!given[i]) continue;
    const [targetX, targetY] = [targets[2 * i], targets[2 * i + 1]];
    let [normalX, normalY] = [1, 0];
    if (i < 17) {
      const before = i > 0 && given[i - 1] ? i - 1 : i;
      const after = i < 16 && given[i + 1] ? i + 1 : i;
      const tangentX = targets[2 * after] - targets[2 * before];
      const tangentY = targets[2 * after + 1] - targets[2 * before + 1];
      const length = Math.hypot(tangentX, tangentY) || 1;
      normalX = tangentY / length;
      normalY = -tangentX / length;
      if (normalX * (targetX - innerX) + normalY * (targetY - innerY) < 0) {
        normalX = -normalX;
        normalY = -normalY;
      }
    }
    pulls.push({
      landmark: i,
      row: basis.landmarkRows[i],
      targetX,
      targetY,
      normalX,
      normalY,
      normalWeight: 0,
      tangentWeight: 0,
    });
  }
  return pulls;
}

/** Gives each jaw pull the vertex of its path that lies farthest out along the pull's normal. */
export function slideContour(
  basis: FitBasis,
  state: FitState,
  shape: Float64Array,
  pulls: readonly Pull[],
): void {
  const { rotation: r } = state;
  for (const pull of pulls) {
    if (pull.landmark >= 17) continue;
    const ax = pull.normalX * r[0] + pull.normalY * r[3];
    const ay = pull.normalX * r[1] + pull.normalY * r[4];
    const az = pull.normalX * r[2] + pull.normalY * r[5];
    let farthest = -Infinity;
    for (const row of basis.pathRows[pull.landmark]) {
      const out = ax * shape[3 * row] + ay * shape[3 * row + 1] + az * shape[3 * row + 2];
      if (out > farthest) {
        farthest = out;
        pull.row = row;
      }
    }
  }
}

/** Weighs both error axes of every pull by their tolerances, less where the error is large (Geman-McClure). */
export function weighPulls(
  state: FitState,
  shape: Float64Array,
  pulls: readonly Pull[],
  tolerances: { jaw: JawLine; noise: number; jawNoise: readonly [number, number] },
  outlier: number,
): void {
  const { jaw, noise, jawNoise } = tolerances;
  for (const pull of pulls) {
    const isJaw = pull.landmark < 17;
    const across = isJaw ? jawNoise[0] : noise;
    const along = isJaw ? (jaw === 'contour' ? jawNoise[1] : jawNoise[0]) : noise;
    const [errorX, errorY] = errorOf(state, shape, pull);
    const a = (errorX * pull.normalX + errorY * pull.normalY) / across;
    const b = (-errorX * pull.normalY + errorY * pull.normalX) / along;
    const trust = 1 / (1 + (a * a + b * b) / (outlier * outlier));
    pull.normalWeight = trust / across;
    pull.tangentWeight = trust / along;
  }
}

/** From the projected vertex to the target, normalised image units. */
export function errorOf(state: FitState, shape: Float64Array, pull: Pull): [number, number] {
  const { rotation: r, scale: s, translation: t } = state;
  const at = 3 * pull.row;
  const [x, y, z] = [shape[at], shape[at + 1], shape[at + 2]];
  return [
    pull.targetX - s * (r[0] * x + r[1] * y + r[2] * z) - t[0],
    pull.targetY - s * (r[3] * x + r[4] * y + r[5] * z) - t[1],
  ];
}
