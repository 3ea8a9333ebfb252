import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { countLandmarks, createLandmarks, IBUG_68, type Landmarks, withDefaults } from '@voxface/landmarks';
import {
  CORNER_ORIGIN,
  type LandmarkBasis,
  readFaceParameters,
  rebuildLandmarks,
  yawOfParameters,
} from '../face-parameters.ts';
import { matVariable, parseMat } from '../parse-mat.ts';
import { checkShape, createRecordDataset, visibleBox } from '../record-dataset.ts';
import type { Dataset } from '../sample.ts';
import { decodeImage, imagesByStem, listFiles, stemOf } from './read-image.ts';

export interface FaceProfilesOptions {
  /** Include the mirrored copies in `AFW_Flip` and so on; `drawAugmentation` mirrors anyway. @default false */
  flipped?: boolean;
  /** Height of the pictures in pixels, which the parameters refer to. @default 450 */
  imageHeight?: number;
}

export const FACE_PROFILES_DEFAULTS: Required<FaceProfilesOptions> = { flipped: false, imageHeight: 450 };

/** Which published 2D points of 300W-LP: projections of the 3D landmarks, or points on the visible contour. */
export type ProfilePoints = 'projected' | 'contour';

const STALE = 'pt2d in the .mat is that of the unrotated photo and is not used';
const PIXELS = 'pixel corners to pixel centres: x - 0.5, y - 0.5';
/** Mean distance in pixels beyond which rebuilt and published landmarks do not belong together. */
const REBUILD_TOLERANCE = 3;

/**
 * Opens 300W-LP with 3D landmarks, rebuilt from `Pose_Para`, `Shape_Para` and `Exp_Para`: no file of 300W-LP holds
 * a depth (`pts_3d` is [68, 2]), and `pt2d` is stale: it is that of the unrotated photo for every yaw step. Where
 * `landmarks/SET/NAME_pts.mat` is there, the rebuilt x, y are compared with its `pts_3d`.
 * @param basis the 68 landmark rows of BFM 2009 with FaceWarehouse expressions, which you must be licensed for; or a folder with
 *   3DDFA's `u_base.txt` [204], `w_shp_base.txt` [204, 40] and `w_exp_base.txt` [204, 10].
 *   Without it use `openJvcrJson` (depth from JVCR's files) or `open300wLpPlane` (2D).
 * @throws Error when there are no pairs; at `load`, when basis and published points disagree by over 3 px.
 */
export async function open300wLp(
  root: string,
  basis: LandmarkBasis | string,
  options: FaceProfilesOptions = {},
): Promise<Dataset<3>> {
  if (!basis) {
    throw new Error(
      `open300wLp: expected a landmark basis, got none: 300W-LP has no depth in its files and its pt2d is stale, the same for every rotation (supply the 68 rows of BFM 2009, or use openJvcrJson, or open300wLpPlane for 2D)`,
    );
  }
  const { flipped, imageHeight } = withDefaults(FACE_PROFILES_DEFAULTS, options);
  const rows = typeof basis === 'string' ? await readBasis(basis) : basis;
  const { files, pairs } = await listProfiles(root, flipped);
  const present = new Set(files);
  return createRecordDataset({
    name: '300w-lp',
    scheme: IBUG_68,
    dims: 3,
    ids: pairs.map(({ id }) => id),
    annotate: async (index) => {
      const { id, image, mat } = pairs[index];
      const parameters = readFaceParameters(parseMat(await readFile(path.join(root, mat)), mat), mat);
      const landmarks = rebuildLandmarks(parameters, rows, imageHeight);
      checkShape(landmarks, IBUG_68, mat);
      const points = pointsFile(id);
      if (present.has(points)) checkAgainst(landmarks, await readPlane(root, points, 'projected'), points);
      return {
        id,
        landmarks,
        scheme: IBUG_68,
        box: visibleBox(landmarks),
        yaw: yawOfParameters(parameters),
        provenance: {
          dataset: '300w-lp',
          files: [image, mat],
          conversions: [
            'rebuilt from Pose_Para, Shape_Para, Exp_Para and the given basis',
            PIXELS,
            'z: sign turned, zero mean',
            STALE,
          ],
        },
      };
    },
    readImage: (index) => readFile(path.join(root, pairs[index].image)),
    decode: decodeImage,
  });
}

async function readBasis(folder: string): Promise<LandmarkBasis> {
  const read = async (name: string): Promise<Float64Array> => {
    const file = path.join(folder, name);
    const text = await readFile(file, 'utf8').catch((error: Error) => {
      throw new Error(`open300wLp: ${file} of the basis is not readable (${error.message})`, {
        cause: error,
      });
    });
    const values = Float64Array.from(text.trim().split(/\s+/), Number);
    if (values.length === 0 || values.length % 204 !== 0 || !values.every(Number.isFinite)) {
      throw new Error(`open300wLp: expected finite numbers in 204 rows, got ${values.length} in ${file}`);
    }
    return values;
  };
  const [mean, shape, expression] = await Promise.all(
    ['u_base.txt', 'w_shp_base.txt', 'w_exp_base.txt'].map(read),
  );
  return { mean, shape, expression };
}

/**
 * Opens 300W-LP with 2D landmarks from `landmarks/SET/NAME_pts.mat`.
 * @param points `projected`: `pts_3d`, the projections of the 3D landmarks; `contour`: `pts_2d`, on the visible contour.
 * @throws Error when there are no pairs, or the `landmarks` folder is missing: the `pt2d` of the `.mat` is refused.
 */
export async function open300wLpPlane(
  root: string,
  points: ProfilePoints = 'projected',
  options: FaceProfilesOptions = {},
): Promise<Dataset<2>> {
  const { flipped } = withDefaults(FACE_PROFILES_DEFAULTS, options);
  const { files, pairs } = await listProfiles(root, flipped);
  const present = new Set(files);
  const found = pairs.filter(({ id }) => present.has(pointsFile(id)));
  if (found.length === 0) {
    throw new Error(
      `open300wLpPlane: expected landmarks/SET/NAME_pts.mat under ${root}, got none: the pt2d of the other .mat files is stale (the unrotated photo's points on every rotation) and is refused (unpack the landmarks folder of 300W-LP)`,
    );
  }
  return createRecordDataset({
    name: '300w-lp-plane',
    scheme: IBUG_68,
    dims: 2,
    ids: found.map(({ id }) => id),
    annotate: async (index) => {
      const { id, image, mat } = found[index];
      const file = pointsFile(id);
      const landmarks = await readPlane(root, file, points);
      const parameters = readFaceParameters(parseMat(await readFile(path.join(root, mat)), mat), mat);
      return {
        id,
        landmarks,
        scheme: IBUG_68,
        box: visibleBox(landmarks),
        yaw: yawOfParameters(parameters),
        provenance: { dataset: '300w-lp-plane', files: [image, file, mat], conversions: [PIXELS, STALE] },
      };
    },
    readImage: (index) => readFile(path.join(root, found[index].image)),
    decode: decodeImage,
  });
}

interface Profile {
  readonly id: string;
  readonly image: string;
  readonly mat: string;
}

async function listProfiles(root: string, flipped: boolean): Promise<{ files: string[]; pairs: Profile[] }> {
  const files = await listFiles(root);
  const images = imagesByStem(files);
  const pairs = files
    .filter((file) => file.endsWith('.mat') && !/(^|\/)(landmarks|Code)\//.test(file))
    .filter((file) => flipped || !/_Flip\//.test(file))
    .map((mat): Profile => {
      const id = stemOf(mat);
      const image = images.get(id);
      if (!image) throw new Error(`open300wLp: expected a picture beside ${mat}, got none with its stem`);
      return { id, image, mat };
    });
  if (pairs.length === 0) {
    throw new Error(`open300wLp: expected SET/NAME.mat beside SET/NAME.jpg, got none under ${root}`);
  }
  return { files, pairs };
}

function pointsFile(id: string): string {
  return `landmarks/${id}_pts.mat`;
}

async function readPlane(root: string, file: string, points: ProfilePoints): Promise<Landmarks<2>> {
  const mat = parseMat(await readFile(path.join(root, file)), file);
  const { data } = matVariable(mat, points === 'projected' ? 'pts_3d' : 'pts_2d', file, [68, 2]);
  const landmarks = createLandmarks(
    Float32Array.from({ length: 136 }, (_, k) => data[(k % 2) * 68 + (k >> 1)] - CORNER_ORIGIN),
    2,
  );
  checkShape(landmarks, IBUG_68, file);
  return landmarks;
}

function checkAgainst(rebuilt: Landmarks<3>, published: Landmarks<2>, file: string): void {
  const n = countLandmarks(published);
  let mean = 0;
  for (let i = 0; i < n; i++) {
    const dx = rebuilt.points[3 * i] - published.points[2 * i];
    const dy = rebuilt.points[3 * i + 1] - published.points[2 * i + 1];
    mean += Math.hypot(dx, dy) / n;
  }
  if (!(mean <= REBUILD_TOLERANCE)) {
    throw new Error(
      `open300wLp: landmarks rebuilt with the given basis must lie within ${REBUILD_TOLERANCE} px of ${file}, got ${mean.toFixed(1)} px on average (wrong rows, wrong model, or wrong scale of the basis)`,
    );
  }
}
