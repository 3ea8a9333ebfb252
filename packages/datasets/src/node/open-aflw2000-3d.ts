import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { AFLW_21, centerDepth, createLandmarks, IBUG_68, type Landmarks } from '@voxface/landmarks';
import { readFaceParameters, yawOfParameters } from '../face-parameters.ts';
import { type MatFile, matVariable, parseMat } from '../parse-mat.ts';
import { checkShape, createRecordDataset, visibleBox } from '../record-dataset.ts';
import type { Annotation, Dataset } from '../sample.ts';
import { decodeImage } from './decode-image.ts';
import { imagesByStem, listFiles, stemOf } from './list-files.ts';
import type { ProblemHandler } from './open-300w.ts';

const PIXELS = '1-based to 0-based: x - 1, y - 1';
const DEPTH = 'z: sign turned (+z away from the camera), zero mean';
const YAW = 'yaw: Pose_Para[1] in degrees, sign turned';

interface MatPair {
  readonly id: string;
  readonly image: string;
  readonly mat: string;
}

export interface Aflw20003dOptions {
  /** Absent: a `.mat` without a picture throws. Given: such ones are reported and left out. */
  onProblem?: ProblemHandler;
}

/**
 * Opens AFLW2000-3D: `image*.mat` beside `image*.jpg`, as the archive unpacks (its folder `Code` holds no faces). Landmarks are `pt3d_68`, z centred; yaw is that of
 * `Pose_Para` (it may pass 90 degrees). `roi` is no face box and is not used.
 * Annotations are read when asked for, so a broken `.mat` shows at `load`.
 * @throws Error when there is no `.mat`, or a picture is missing.
 */
export async function openAflw20003d(root: string, options: Aflw20003dOptions = {}): Promise<Dataset<3>> {
  return openMatPairs(root, 'aflw2000-3d', 3, options, (mat, { id, image, mat: file }) => {
    const raw = matVariable(mat, 'pt3d_68', file, [3, 68]).data;
    const landmarks = convertPoints68(raw, file);
    const parameters = readFaceParameters(mat, file);
    return {
      id,
      landmarks,
      scheme: IBUG_68,
      box: visibleBox(landmarks),
      yaw: yawOfParameters(parameters),
      provenance: { dataset: 'aflw2000-3d', files: [image, file], conversions: [PIXELS, DEPTH, YAW] },
    };
  });
}

/**
 * AFLW2000-3D with the up to 21 visible points of AFLW (`pt2d`). Hidden points (x = -1 in the file; their y is 452)
 * are masked and lie at the box's centre. The box is that of the 68 points, by which errors are normalised.
 * @throws Error as `openAflw20003d`.
 */
export async function openAflw2000Visible21(
  root: string,
  options: Aflw20003dOptions = {},
): Promise<Dataset<2>> {
  return openMatPairs(root, 'aflw2000-3d-21', 2, options, (mat, { id, image, mat: file }) => {
    const box = visibleBox(convertPoints68(matVariable(mat, 'pt3d_68', file, [3, 68]).data, file));
    const raw = matVariable(mat, 'pt2d', file, [2, 21]).data;
    const visible = Uint8Array.from({ length: 21 }, (_, i) => (raw[2 * i] === -1 ? 0 : 1));
    const points = Float32Array.from(raw, (value, k) => {
      if (visible[k >> 1]) return value - 1;
      return k % 2 === 0 ? box.x + box.width / 2 : box.y + box.height / 2;
    });
    return {
      id,
      landmarks: createLandmarks(points, 2),
      scheme: AFLW_21,
      box,
      visible,
      yaw: yawOfParameters(readFaceParameters(mat, file)),
      provenance: {
        dataset: 'aflw2000-3d-21',
        files: [image, file],
        conversions: [PIXELS, 'x = -1: hidden', 'box of the 68 points', YAW],
      },
    };
  });
}

/** `pt3d_68` or a row of `AFLW2000-3D.pts68.npy`, given per point as x, y, z: to house axes. */
export function convertPoints68(raw: ArrayLike<number>, where: string): Landmarks<3> {
  const points = Float32Array.from(raw, (value, k) => (k % 3 === 2 ? -value : value - 1));
  let landmarks: Landmarks<3>;
  try {
    landmarks = centerDepth(createLandmarks(points, 3));
  } catch (error) {
    throw new Error(`convertPoints68: ${(error as Error).message} in ${where}`, { cause: error });
  }
  checkShape(landmarks, IBUG_68, where);
  return landmarks;
}

async function openMatPairs<D extends 2 | 3>(
  root: string,
  name: string,
  dims: D,
  { onProblem }: Aflw20003dOptions,
  convert: (mat: MatFile, pair: MatPair) => Annotation<D>,
): Promise<Dataset<D>> {
  const files = await listFiles(root);
  const images = imagesByStem(files);
  const pairs: MatPair[] = [];
  for (const mat of files.filter((file) => file.endsWith('.mat') && !/(^|\/)Code\//.test(file))) {
    const id = stemOf(mat);
    const image = images.get(id);
    if (image) pairs.push({ id, image, mat });
    else {
      const error = new Error(`openAflw20003d: expected a picture beside ${mat}, got none with its stem`);
      if (!onProblem) throw error;
      onProblem({ id, error });
    }
  }
  if (pairs.length === 0) throw new Error(`openAflw20003d: expected .mat files, got none under ${root}`);
  return createRecordDataset({
    name,
    scheme: dims === 3 ? IBUG_68 : AFLW_21,
    dims,
    ids: pairs.map(({ id }) => id),
    annotate: async (index) => {
      const pair = pairs[index];
      return convert(parseMat(await readFile(path.join(root, pair.mat)), pair.mat), pair);
    },
    readImage: (index) => readFile(path.join(root, pairs[index].image)),
    decode: decodeImage,
  });
}
