import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createFaceModel, type FaceModel, type FaceModes } from './face-model.ts';
import { toHeadAxes } from './ict.ts';

const LANDMARKS = 68;
/** Parameters of 3DDFA: 12 of the camera, then 40 identity and 10 expression weights. */
const CAMERA = 12;

/**
 * Opens the 68 landmark points of the Basel face model as 3DDFA publishes them (`u_base.txt` [204], `w_shp_base.txt`
 * [204, 40], `w_exp_base.txt` [204, 10], `param_mean.txt` and `param_std.txt` [62]): the basis with which 300W-LP was
 * labelled, with the mean and the deviations that its weights have there as the prior. The model has no skin (no
 * triangles, no contour): it serves `fitFace` with `jaw: 'vertices'`.
 * @param folder with the five files.
 * @throws Error naming the file when one is missing or does not hold as many numbers as it should.
 */
export async function openBfm68(folder: string): Promise<FaceModel> {
  const size = 3 * LANDMARKS;
  const mean = await readNumbers(folder, 'u_base.txt', size);
  const parameterMean = await readNumbers(folder, 'param_mean.txt');
  const parameterDeviation = await readNumbers(folder, 'param_std.txt', parameterMean.length);
  const modes: FaceModes[] = [];
  let at = CAMERA;
  for (const file of ['w_shp_base.txt', 'w_exp_base.txt']) {
    const columns = await readNumbers(folder, file);
    const count = columns.length / size;
    if (!Number.isInteger(count) || at + count > parameterMean.length) {
      throw new Error(
        `openBfm68: expected ${size} rows of modes that param_mean.txt knows, got ${columns.length} numbers in ${path.join(folder, file)}`,
      );
    }
    const offsets = new Float32Array(columns.length);
    for (let mode = 0; mode < count; mode++) {
      for (let k = 0; k < size; k++) {
        const column = columns[k * count + mode];
        mean[k] += column * parameterMean[at + mode];
        offsets[mode * size + k] = column * parameterDeviation[at + mode];
      }
    }
    toHeadAxes(offsets);
    modes.push({
      count,
      names: Array.from({ length: count }, (_, i) => `mode${i}`),
      offsets,
      deviation: new Float32Array(count).fill(1),
      bounds: Float32Array.from({ length: 2 * count }, (_, i) => (i % 2 === 0 ? -3 : 3)),
    });
    at += count;
  }
  const points = Float32Array.from(mean);
  toHeadAxes(points);
  return createFaceModel({
    name: 'bfm-68',
    mean: points,
    identity: modes[0],
    expression: modes[1],
    triangles: new Uint32Array(0),
    landmarks: Array.from({ length: LANDMARKS }, (_, i) => i),
  });
}

async function readNumbers(folder: string, name: string, count?: number): Promise<Float64Array> {
  const file = path.join(folder, name);
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new Error(`openBfm68: ${file} is not readable (${error.message})`, { cause: error });
  });
  const values = Float64Array.from(text.trim().split(/\s+/), Number);
  if ((count !== undefined && values.length !== count) || values.some((value) => !Number.isFinite(value))) {
    throw new Error(
      `openBfm68: expected ${count ?? 'finite'} numbers, got ${values.length}${values.some((value) => !Number.isFinite(value)) ? ', not all finite' : ''} in ${file}`,
    );
  }
  return values;
}
