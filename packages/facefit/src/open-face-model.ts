import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'npyjs';
import { createFaceModel, type FaceModel } from './face-model.ts';
import { ICT_LANDMARK_OFFSETS, ICT_TOPOLOGY, ictModes, toHeadAxes } from './ict.ts';
import { type LinearBasisOptions, openLinearBasis } from './open-linear-basis.ts';

/**
 * Opens a 3D morphable face, whatever its files: the packed arrays of ICT-FaceKit Light (a folder with
 * `facekit.json`), its original `.obj` files, or a linear basis of your own (`openLinearBasis`: a BFM-like `.mat`, a
 * FLAME-like `.npz`, a folder of `.npy` arrays).
 * @param options for a basis of your own; ICT-FaceKit needs none.
 * @throws Error when there is nothing at `target`, or its files are not what they should be.
 * @example
 * ```js
 * import { openFaceModel } from '@voxface/facefit/node';
 *
 * const face = await openFaceModel('ict-facekit');
 * console.log(face.landmarks.length); // => 68
 * ```
 */
export async function openFaceModel(target: string, options: LinearBasisOptions = {}): Promise<FaceModel> {
  const info = await stat(target).catch(() => undefined);
  if (!info) {
    throw new Error(
      `openFaceModel: expected a morphable face (ICT-FaceKit's folder, a .mat, .npz or folder of .npy), got nothing at ${target}`,
    );
  }
  if (info.isDirectory()) {
    const names = await readdir(target);
    if (names.includes('facekit.json')) return openFaceKitArrays(target);
    if (names.includes('generic_neutral_mesh.obj')) return openFaceKitObj(target);
    if (!names.some((name) => name.endsWith('.npy'))) {
      throw new Error(
        `openFaceModel: expected facekit.json, generic_neutral_mesh.obj or .npy arrays, got ${names.length} other files in ${target}`,
      );
    }
  }
  return openLinearBasis(target, options);
}

interface FaceKit {
  materials: string[];
  identity: string[];
  expression: string[];
  landmarks68: number[];
  jaw_right_3d_0_7: number[];
  jaw_left_3d_9_16: number[];
  ranges: Record<string, [number, number]>;
  narrow_face: [number, number];
}

/**
 * Reads the packed arrays of ICT-FaceKit Light: `facekit.json`, `neutral.npy`, `identity.npy`, `expression.npy`,
 * `quads.npy`. ICT's axes (y up, z out of the face) become head axes; identity weights are standard deviations,
 * expression weights run from 0 to 1.
 * @throws Error when a file is missing or its shape is not what `facekit.json` says.
 */
async function openFaceKitArrays(folder: string): Promise<FaceModel> {
  const kit = await readKit(join(folder, 'facekit.json'));
  const neutral = await readArray(folder, 'neutral.npy', [-1, 3]);
  const vertices = neutral.length / 3;
  const identity = await readArray(folder, 'identity.npy', [kit.identity.length, vertices, 3]);
  const expression = await readArray(folder, 'expression.npy', [kit.expression.length, vertices, 3]);
  const quads = await readArray(folder, 'quads.npy', [-1, 4]);
  for (const array of [neutral, identity, expression]) toHeadAxes(array as Float32Array);
  return createFaceModel({
    name: 'ict-facekit',
    mean: neutral as Float32Array,
    ...ictModes(identity as Float32Array, kit.identity, expression as Float32Array, kit.expression),
    triangles: skinTriangles(quads, kit.ranges.head_neck[1]),
    landmarks: [
      ...kit.jaw_right_3d_0_7,
      kit.landmarks68[8],
      ...kit.jaw_left_3d_9_16,
      ...kit.landmarks68.slice(17),
    ],
    landmarkOffsets: ICT_LANDMARK_OFFSETS,
    contourRange: kit.narrow_face,
  });
}

async function readKit(file: string): Promise<FaceKit> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as FaceKit;
  } catch (error) {
    throw new Error(
      `openFaceKitArrays: expected ICT-FaceKit's list of modes, got ${(error as Error).message} in ${file}`,
      {
        cause: error,
      },
    );
  }
}

/** Splits the quads whose corners are all at or below `last` into triangles. */
function skinTriangles(quads: ArrayLike<number>, last: number): Uint32Array {
  const triangles: number[] = [];
  for (let i = 0; i < quads.length; i += 4) {
    const [a, b, c, d] = [quads[i], quads[i + 1], quads[i + 2], quads[i + 3]];
    if (Math.max(a, b, c, d) > last) continue;
    triangles.push(a, b, c);
    if (d !== c && d !== a) triangles.push(a, c, d);
  }
  return Uint32Array.from(triangles);
}

async function readArray(folder: string, name: string, shape: number[]): Promise<Float32Array | Int32Array> {
  const file = join(folder, name);
  const bytes = await readFile(file).catch((error: Error) => {
    throw new Error(`openFaceKitArrays: expected the array ${name}, got ${error.message}`, { cause: error });
  });
  const array = parse(
    bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
  );
  const fits =
    array.shape.length === shape.length && shape.every((size, i) => size < 0 || size === array.shape[i]);
  if (!fits || array.fortranOrder) {
    throw new Error(
      `openFaceKitArrays: ${file} must be a C-ordered array of shape [${shape.map((s) => (s < 0 ? 'n' : s))}], got [${array.shape}]${array.fortranOrder ? ' in Fortran order' : ''}`,
    );
  }
  return array.data as Float32Array | Int32Array;
}

/**
 * Reads the original files of ICT-FaceKit Light (`FaceXModel`): `generic_neutral_mesh.obj`, `identityNNN.obj`, and every other `.obj`
 * as an expression. Only the skin is kept. Folders with fewer modes give a model with fewer modes.
 * @throws Error when the neutral mesh is missing, there is no identity or expression, or the vertex counts differ.
 */
export async function openFaceKitObj(folder: string): Promise<FaceModel> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.obj')).sort();
  if (!names.includes('generic_neutral_mesh.obj')) {
    throw new Error(
      `openFaceKitObj: expected generic_neutral_mesh.obj in ${folder}, got ${names.length} other .obj files (pass FaceXModel of ICT-FaceKit)`,
    );
  }
  const read = async (name: string) =>
    parseObj(await readFile(join(folder, name), 'utf8'), join(folder, name));
  const neutral = await read('generic_neutral_mesh.obj');
  const used = 3 * (ICT_TOPOLOGY.skinLast + 1);
  if (neutral.vertices.length < used) {
    throw new Error(
      `openFaceKitObj: ICT-FaceKit's skin has ${used / 3} vertices, got ${neutral.vertices.length / 3} in ${folder}`,
    );
  }
  const mean = neutral.vertices.slice(0, used);
  const readModes = async (modeNames: string[]): Promise<Float32Array> => {
    const offsets = new Float32Array(modeNames.length * used);
    for (const [mode, name] of modeNames.entries()) {
      const { vertices } = await read(`${name}.obj`);
      if (vertices.length !== neutral.vertices.length) {
        throw new Error(
          `openFaceKitObj: ${name}.obj must have ${neutral.vertices.length / 3} vertices like the neutral mesh, got ${vertices.length / 3}`,
        );
      }
      for (let i = 0; i < used; i++) offsets[mode * used + i] = vertices[i] - mean[i];
    }
    toHeadAxes(offsets);
    return offsets;
  };
  const stems = names.map((name) => name.slice(0, -4)).filter((name) => name !== 'generic_neutral_mesh');
  const identityNames = stems.filter((name) => /^identity\d+$/.test(name));
  const expressionNames = stems.filter((name) => !/^identity\d+$/.test(name));
  const [identity, expression] = [await readModes(identityNames), await readModes(expressionNames)];
  toHeadAxes(mean);
  return createFaceModel({
    name: 'ict-facekit',
    mean,
    ...ictModes(identity, identityNames, expression, expressionNames),
    triangles: neutral.triangles.filter((_, i, all) => {
      const first = i - (i % 3);
      return Math.max(all[first], all[first + 1], all[first + 2]) <= ICT_TOPOLOGY.skinLast;
    }),
    landmarks: ICT_TOPOLOGY.landmarks,
    landmarkOffsets: ICT_LANDMARK_OFFSETS,
    contourRange: ICT_TOPOLOGY.narrowFace,
  });
}

/** Vertices and faces of a Wavefront `.obj`. */
interface ObjMesh {
  /** [v, 3]. */
  readonly vertices: Float32Array;
  /** [t, 3], 0-based; polygons are split into fans. */
  readonly triangles: Uint32Array;
}

/**
 * Reads `v` and `f` lines; everything else (texture coordinates, normals, materials) is skipped.
 * @param where what to call the text in errors.
 * @throws Error when a vertex is not three numbers, a face names a vertex that is not there, or there are no vertices.
 */
export function parseObj(text: string, where: string): ObjMesh {
  const vertices: number[] = [];
  const triangles: number[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.startsWith('v ')) {
      const point = line.trim().split(/\s+/).slice(1, 4).map(Number);
      if (point.length !== 3 || !point.every(Number.isFinite)) {
        throw new Error(
          `parseObj: a vertex must be three numbers, got "${line.trim()}" at line ${index + 1} of ${where}`,
        );
      }
      vertices.push(...point);
    } else if (line.startsWith('f ')) {
      const corners = line.trim().split(/\s+/).slice(1);
      const face = corners.map((corner) => {
        const number = Number.parseInt(corner, 10);
        return number < 0 ? vertices.length / 3 + number : number - 1;
      });
      if (face.length < 3 || face.some((vertex) => !(vertex >= 0 && vertex < vertices.length / 3))) {
        throw new Error(
          `parseObj: a face must name three or more of ${vertices.length / 3} vertices, got "${line.trim()}" at line ${index + 1} of ${where}`,
        );
      }
      for (let k = 2; k < face.length; k++) triangles.push(face[0], face[k - 1], face[k]);
    }
  }
  if (vertices.length === 0) throw new Error(`parseObj: expected vertices, got none in ${where}`);
  return { vertices: Float32Array.from(vertices), triangles: Uint32Array.from(triangles) };
}
