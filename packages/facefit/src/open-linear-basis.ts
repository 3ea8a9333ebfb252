import path from 'node:path';
import { createFaceModel, type FaceModel, type FaceModes } from './face-model.ts';
import { checkHeadAxes } from './head-axes.ts';
import { toHeadAxes } from './ict-modes.ts';
import { copyModes, countModes } from './mode-offsets.ts';
import { type ModelArray, type ModelArrays, readModelArrays } from './model-arrays.ts';
import { readLandmarkVertices } from './read-landmark-vertices.ts';

export interface LinearBasisOptions {
  /**
   * The 68 vertices in iBUG order, 0-based, the true 3D jaw line at 0..16. Default: the JSON list beside the file,
   * `NAME.landmarks.json`, else the file's own list.
   */
  landmarks?: readonly number[];
  /** `up`: y up, z out of the face, as in BFM and FLAME; `down`: y down, z into the head. x to the picture's right. */
  axes?: 'up' | 'down';
  /** Weights of every mode stay within this many standard deviations. */
  bound?: number;
}

export const LINEAR_BASIS_DEFAULTS: { axes: 'up' | 'down'; bound: number } = { axes: 'up', bound: 3 };

/** What each array is called: here, in BFM 2009 and its kin (3DDFA, Deep3D), in FLAME. */
const NAMES = {
  mean: ['mean', 'shapeMU', 'mu_shape', 'mu', 'meanshape', 'v_template'],
  identity: ['identity', 'shapePC', 'w', 'w_shape', 'idBase', 'shapedirs'],
  identityDeviation: ['identity_deviation', 'shapeEV', 'sigma', 'sigma_shape'],
  expressionMean: ['expression_mean', 'expMU', 'mu_exp'],
  expression: ['expression', 'expPC', 'w_exp', 'exBase', 'expressiondirs'],
  expressionDeviation: ['expression_deviation', 'expEV', 'sigma_exp'],
  triangles: ['triangles', 'tl', 'tri', 'f', 'faces'],
  landmarks: ['landmarks', 'keypoints', 'kpt_ind'],
} as const;

/** FLAME keeps 300 identity and 100 expression modes in one array. */
const FLAME_MODES: readonly [identity: number, expression: number] = [300, 100];

/**
 * Reads a linear 3D morphable face of your own from a `.mat` file (level 5), an `.npz` file or a folder of `.npy`
 * files. Names as in BFM 2009 (`shapeMU`, `shapePC`, `shapeEV`, `expMU`, `expPC`, `expEV`, `tl`), 3DDFA (`mu_shape`,
 * `w`, `sigma`, `mu_exp`, `w_exp`, `sigma_exp`, `tri`, `keypoints`), Deep3D (`meanshape`, `idBase`, `exBase`), FLAME
 * (`v_template`, `shapedirs`, `f`), or plainly `mean`, `identity`, `expression`, `triangles`, `landmarks`. Modes are
 * multiplied by their deviations where the file has them; expression modes may be missing.
 * @throws Error naming the file when an array is missing or of another shape, or the landmarks do not make a face.
 */
export async function openLinearBasis(target: string, options: LinearBasisOptions = {}): Promise<FaceModel> {
  const { axes, bound } = { ...LINEAR_BASIS_DEFAULTS, ...options };
  const file = await readModelArrays(target);
  const meanArray = find(file, 'mean', true);
  const vertices = meanArray.data.length / 3;
  if (!Number.isInteger(vertices) || vertices === 0) {
    throw new Error(
      `openLinearBasis: the mean must hold 3 numbers per vertex, got ${meanArray.data.length} in ${target}`,
    );
  }
  const mean = copyModes(meanArray, vertices, `the mean of ${target}`, 0, 1);
  const expressionMean = find(file, 'expressionMean');
  if (expressionMean) {
    copyModes(expressionMean, vertices, `the expression mean of ${target}`, 0, 1).forEach((value, i) => {
      mean[i] += value;
    });
  }
  const { identity, expression } = readModes(file, vertices, bound);
  if (axes === 'up') for (const points of [mean, identity.offsets, expression.offsets]) toHeadAxes(points);
  for (const points of [mean, identity.offsets, expression.offsets]) {
    const at = points.findIndex((value) => !Number.isFinite(value));
    if (at >= 0) throw new Error(`openLinearBasis: expected finite numbers, got ${points[at]} in ${target}`);
  }
  const own = find(file, 'landmarks');
  const landmarks = await readLandmarkVertices(target, {
    given: options.landmarks,
    own: own && Array.from(own.data, (index) => index - file.firstIndex),
    vertices,
  });
  checkHeadAxes(mean, landmarks, target);
  return createFaceModel({
    name: path.basename(target, path.extname(target)),
    mean,
    identity,
    expression,
    triangles: readTriangles(file, vertices),
    landmarks,
  });
}

function readModes(
  file: ModelArrays,
  vertices: number,
  bound: number,
): { identity: FaceModes; expression: FaceModes } {
  const identity = find(file, 'identity', true);
  const expression = find(file, 'expression');
  const count = countModes(identity, vertices, `the identity modes of ${file.where}`);
  if (!expression && count === FLAME_MODES[0] + FLAME_MODES[1]) {
    return {
      identity: modesOf(file, identity, undefined, vertices, bound, [0, FLAME_MODES[0]]),
      expression: modesOf(file, identity, undefined, vertices, bound, FLAME_MODES),
    };
  }
  return {
    identity: modesOf(file, identity, find(file, 'identityDeviation'), vertices, bound),
    expression: modesOf(file, expression, find(file, 'expressionDeviation'), vertices, bound),
  };
}

function modesOf(
  file: ModelArrays,
  array: ModelArray | undefined,
  deviations: ModelArray | undefined,
  vertices: number,
  bound: number,
  range: readonly [from: number, count?: number] = [0],
): FaceModes {
  const offsets = array
    ? copyModes(array, vertices, `the modes of ${file.where}`, ...range)
    : new Float32Array(0);
  const stride = vertices * 3;
  const count = offsets.length / stride;
  if (deviations) {
    if (deviations.data.length < count) {
      throw new Error(
        `openLinearBasis: ${count} modes need as many deviations, got ${deviations.data.length} in ${file.where}`,
      );
    }
    for (let i = 0; i < offsets.length; i++) offsets[i] *= deviations.data[Math.floor(i / stride)];
  }
  return {
    count,
    names: Array.from({ length: count }, (_, i) => `mode${i}`),
    offsets,
    deviation: new Float32Array(count).fill(1),
    bounds: Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? -bound : bound)),
  };
}

function readTriangles(file: ModelArrays, vertices: number): Uint32Array {
  const array = find(file, 'triangles', true);
  const { shape, data, columnMajor } = array;
  const rows = shape.length === 2 && shape[1] === 3;
  if (!rows && !(shape.length === 2 && shape[0] === 3)) {
    throw new Error(
      `openLinearBasis: triangles must be t x 3 or 3 x t, got ${shape.join(' x ')} in ${file.where}`,
    );
  }
  const count = data.length / 3;
  const cornersTogether = rows !== columnMajor;
  return Uint32Array.from({ length: 3 * count }, (_, i) => {
    const at = cornersTogether ? i : (i % 3) * count + Math.floor(i / 3);
    const vertex = data[at] - file.firstIndex;
    if (!(Number.isInteger(vertex) && vertex >= 0 && vertex < vertices)) {
      throw new Error(
        `openLinearBasis: triangles must name vertices ${file.firstIndex}..${vertices - 1 + file.firstIndex}, got ${data[at]} in ${file.where}`,
      );
    }
    return vertex;
  });
}

function find(file: ModelArrays, what: keyof typeof NAMES, needed: true): ModelArray;
function find(file: ModelArrays, what: keyof typeof NAMES): ModelArray | undefined;
function find(file: ModelArrays, what: keyof typeof NAMES, needed = false): ModelArray | undefined {
  const name = NAMES[what].find((candidate) => file.arrays.has(candidate));
  if (name) return file.arrays.get(name);
  if (!needed) return undefined;
  const structs = Array.from(
    file.unsupported,
    ([other, kind]) => `${other} (a ${kind}: save its fields as variables)`,
  );
  throw new Error(
    `openLinearBasis: expected ${what} under one of the names ${NAMES[what].join(', ')}, got ${[...file.arrays.keys(), ...structs].join(', ') || 'no arrays'} in ${file.where}`,
  );
}
