import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'npyjs';
import { createFaceModel, type FaceModel } from './face-model.ts';
import { ICT_LANDMARK_OFFSETS } from './ict-landmark-offsets.ts';
import { ictModes, toHeadAxes } from './ict-modes.ts';

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
export async function openFaceKitArrays(folder: string): Promise<FaceModel> {
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
