import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseMat } from '@voxface/datasets';
import { readNpy, readNpz } from '@voxface/datasets/node';
import { withDefaults } from '@voxface/landmarks';
import { checkHeadAxes, createFaceModel, type FaceModel, type FaceModes } from './face-model.ts';
import { toHeadAxes } from './ict.ts';

export interface LinearBasisOptions {
  /**
   * The 68 vertices in iBUG order, 0-based, the true 3D jaw line at 0..16.
   * @default the JSON list beside the file, `NAME.landmarks.json`, else the file's own list
   */
  landmarks?: readonly number[];
  /**
   * `up`: y up, z out of the face, as in BFM and FLAME; `down`: y down, z into the head. x to the picture's right.
   * @default 'up'
   */
  axes?: 'up' | 'down';
  /** Weights of every mode stay within this many standard deviations. @default 3 */
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
  const { axes, bound } = withDefaults(LINEAR_BASIS_DEFAULTS, options);
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

/**
 * The 68 landmark vertices of a morphable face, 0-based: the given ones, else those of the JSON list beside the file
 * (`NAME.landmarks.json` for `NAME.mat`, `NAME.npz` or the folder NAME), else the file's own.
 * @throws Error when there are none, not 68, or one is no vertex.
 */
async function readLandmarkVertices(
  target: string,
  sources: { given?: readonly number[]; own?: readonly number[]; vertices: number },
): Promise<readonly number[]> {
  const { vertices } = sources;
  const beside = `${target.replace(/\.(mat|npz)$/i, '').replace(/[\\/]+$/, '')}.landmarks.json`;
  const landmarks = sources.given ?? (await readList(beside)) ?? sources.own;
  if (!landmarks) {
    throw new Error(
      `readLandmarkVertices: expected the 68 landmark vertices of ${target}, got none (write them as a JSON list, 0-based, to ${path.basename(beside)} beside it)`,
    );
  }
  if (landmarks.length !== 68) {
    throw new Error(
      `readLandmarkVertices: expected 68 landmark vertices in iBUG order, got ${landmarks.length} for ${target}`,
    );
  }
  const wrong = landmarks.find((index) => !(Number.isInteger(index) && index >= 0 && index < vertices));
  if (wrong !== undefined) {
    throw new Error(
      `readLandmarkVertices: landmark vertices must be in 0..${vertices - 1}, got ${wrong} for ${target}`,
    );
  }
  return landmarks;
}

async function readList(file: string): Promise<number[] | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every((value) => typeof value === 'number')) return list;
  } catch {}
  throw new Error(`readLandmarkVertices: expected a JSON list of vertex numbers in ${file}`);
}

/** One array of a morphable face's file. */
interface ModelArray {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
  /** MATLAB keeps columns together, NumPy rows. */
  readonly columnMajor: boolean;
}

/** The arrays of a morphable face by the names that its file gives them. */
interface ModelArrays {
  readonly where: string;
  /** Number of the first vertex in lists of indices: 1 in MATLAB files. */
  readonly firstIndex: 0 | 1;
  readonly arrays: ReadonlyMap<string, ModelArray>;
  /** Names of what the file holds but this library does not read, with their class. */
  readonly unsupported: ReadonlyMap<string, string>;
}

/**
 * Reads every array of a `.mat` file (level 5), an `.npz` file or a folder of `.npy` files.
 * @throws Error naming the file when it is none of them, or is damaged.
 */
async function readModelArrays(target: string): Promise<ModelArrays> {
  const ending = path.extname(target).toLowerCase();
  if (ending === '.mat') {
    const { variables, unsupported } = parseMat(await readFile(target), target);
    const arrays = new Map(
      Array.from(variables, ([name, { shape, data }]) => [name, { shape, data, columnMajor: true }]),
    );
    return { where: target, firstIndex: 1, arrays, unsupported };
  }
  const read = ending === '.npz' ? await readNpz(target) : await readFolder(target);
  const arrays = new Map(
    Array.from(read, ([name, { shape, data }]) => [name, { shape, data, columnMajor: false }]),
  );
  return { where: target, firstIndex: 0, arrays, unsupported: new Map() };
}

async function readFolder(folder: string) {
  const names = await readdir(folder).catch(() => undefined);
  if (!names) {
    throw new Error(
      `readModelArrays: expected a .mat or .npz file or a folder of .npy files, got ${folder} (BFM 2017 is HDF5 and FLAME a pickle: save their arrays in one of these)`,
    );
  }
  const files = names.filter((name) => name.endsWith('.npy')).sort();
  return new Map(
    await Promise.all(
      files.map(
        async (name) => [path.basename(name, '.npy'), await readNpy(path.join(folder, name))] as const,
      ),
    ),
  );
}

/** Steps in an array from one vertex, axis and mode to the next. */
interface Strides {
  readonly modes: number;
  readonly vertex: number;
  readonly axis: number;
  readonly mode: number;
}

/**
 * Copies modes of a linear basis as [n, v, 3], whichever way the file keeps them: [3v, n] (BFM: x, y, z of the first
 * vertex, of the second, ...), [n, 3v], [v, 3, n] (FLAME) or [n, v, 3].
 * @param vertices v.
 * @param from first mode to copy.
 * @param count how many; default: the rest.
 * @throws Error when the shape is none of these.
 */
function copyModes(
  array: ModelArray,
  vertices: number,
  describe: string,
  from = 0,
  count?: number,
): Float32Array {
  const { modes, vertex, axis, mode } = stridesOf(array, vertices, describe);
  const taken = count ?? modes - from;
  const out = new Float32Array(taken * vertices * 3);
  let at = 0;
  for (let m = from; m < from + taken; m++) {
    for (let v = 0; v < vertices; v++) {
      for (let a = 0; a < 3; a++) out[at++] = array.data[m * mode + v * vertex + a * axis];
    }
  }
  return out;
}

/** Number of modes of a basis of `vertices` vertices. */
function countModes(array: ModelArray, vertices: number, describe: string): number {
  return stridesOf(array, vertices, describe).modes;
}

function stridesOf(array: ModelArray, v: number, describe: string): Strides {
  const shape = array.shape.length === 1 ? [...array.shape, 1] : array.shape;
  const step = stepsOf(shape, array.columnMajor);
  if (shape.length === 2) {
    if (shape[0] === 3 * v) return { modes: shape[1], vertex: 3 * step[0], axis: step[0], mode: step[1] };
    if (shape[1] === 3 * v) return { modes: shape[0], vertex: 3 * step[1], axis: step[1], mode: step[0] };
    if (shape[0] === v && shape[1] === 3) return { modes: 1, vertex: step[0], axis: step[1], mode: 0 };
  }
  if (shape.length === 3) {
    if (shape[0] === v && shape[1] === 3)
      return { modes: shape[2], vertex: step[0], axis: step[1], mode: step[2] };
    if (shape[1] === v && shape[2] === 3)
      return { modes: shape[0], vertex: step[1], axis: step[2], mode: step[0] };
  }
  throw new Error(
    `copyModes: ${describe} must be ${3 * v} x n, n x ${3 * v}, ${v} x 3 x n or n x ${v} x 3 for ${v} vertices, got ${array.shape.join(' x ')}`,
  );
}

function stepsOf(shape: readonly number[], columnMajor: boolean): number[] {
  const steps = shape.map(() => 1);
  if (columnMajor) for (let i = 1; i < shape.length; i++) steps[i] = steps[i - 1] * shape[i - 1];
  else for (let i = shape.length - 2; i >= 0; i--) steps[i] = steps[i + 1] * shape[i + 1];
  return steps;
}
