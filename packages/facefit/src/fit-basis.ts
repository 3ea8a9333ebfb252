import type { FaceModel } from './face-model.ts';

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
