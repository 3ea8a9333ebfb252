import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  AFLW_21,
  centerDepth,
  createLandmarks,
  IBUG_68,
  type LandmarkScheme,
  type Landmarks,
} from '@voxface/landmarks';
import {
  anglesOfParameters,
  CORNER_ORIGIN,
  type FaceParameters,
  readFaceParameters,
  yawOfParameters,
} from '../face-parameters.ts';
import { type MatFile, matVariable, parseMat } from '../parse-mat.ts';
import type { ProblemHandler } from '../record-dataset.ts';
import { checkShape, collectProblems, createRecordDataset, visibleBox } from '../record-dataset.ts';
import type { Annotation, Dataset } from '../sample.ts';
import { decodeImage, imagesByStem, listFiles, stemOf } from './read-image.ts';
import { readNpy } from './read-npy.ts';

const PIXELS = '1-based to 0-based: x - 1, y - 1';
const CORNERS = 'pixel corners to pixel centres: x - 0.5, y - 0.5';
const DEPTH = 'z: sign turned (+z away from the camera), zero mean';
const YAW = 'yaw: Pose_Para[1] in degrees, sign turned';

interface MatPair {
  /** Place among all `.mat` files by name, which is the row of 3DDFA's arrays. */
  readonly row: number;
  readonly id: string;
  readonly image: string;
  readonly mat: string;
}

export interface Aflw20003dOptions {
  /** Called for each `.mat` without a picture, which is left out. @default the first one throws */
  onProblem?: ProblemHandler;
  /**
   * Where the yaw of a face comes from: `fitted` is that of `Pose_Para`; `paper` is the absolute yaw that 3DDFA publishes as
   * `AFLW2000-3D-new.pose.npy`, whose bins (1306, 462 and 232 faces) the published tables use.
   * @default 'fitted'
   */
  yaw?: 'fitted' | 'paper';
  /** Folder of 3DDFA's arrays, for the re-annotated labels and the paper's yaw. @default `annotations` in the root */
  annotations?: string;
}

/**
 * Opens AFLW2000-3D: `image*.mat` beside `image*.jpg`, as the archive unpacks (its folder `Code` holds no faces). Landmarks are `pt3d_68`, z centred; yaw is that of
 * `Pose_Para` (it may pass 90 degrees). `roi` is no face box and is not used.
 * Annotations are read when asked for, so a broken `.mat` shows at `load`.
 * @throws Error when there is no `.mat`, or a picture is missing.
 */
export async function openAflw20003d(root: string, options: Aflw20003dOptions = {}): Promise<Dataset<3>> {
  const kind = { name: 'aflw2000-3d', dims: 3, scheme: IBUG_68, conversions: [CORNERS, DEPTH, YAW] } as const;
  return openMatPairs(root, kind, options, (mat, { mat: file }, parameters) => {
    const landmarks = convertPoints68(matVariable(mat, 'pt3d_68', file, [3, 68]).data, file);
    return { landmarks, box: visibleBox(landmarks), attributes: anglesOfParameters(parameters()) };
  });
}

/**
 * AFLW2000-3D with its second labels (68 points in x and y) out of `AFLW2000-3D-Reannotated.pts68.npy`.
 * @throws Error as `openAflw20003d`, and when the array is missing or its rows are of other faces.
 */
export async function openAflw2000Reannotated(
  root: string,
  options: Aflw20003dOptions = {},
): Promise<Dataset<2>> {
  const rows = await openRows(root, options.annotations);
  const labels = await rows.read('AFLW2000-3D-Reannotated.pts68.npy', [ROWS, 2, 68]);
  const kind = {
    name: 'aflw2000-3d-reannotated',
    dims: 2,
    scheme: IBUG_68,
    conversions: [CORNERS, YAW],
  } as const;
  return openMatPairs(root, kind, options, (_, { mat: file, row }, parameters) => {
    rows.check(row, yawOfParameters(parameters()), file);
    const landmarks = reannotatedOf(labels, row);
    return { landmarks, box: visibleBox(landmarks) };
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
  const conversions = [PIXELS, 'x = -1: hidden', 'box of the 68 points', YAW];
  const kind = { name: 'aflw2000-3d-21', dims: 2, scheme: AFLW_21, conversions } as const;
  return openMatPairs(root, kind, options, (mat, { mat: file }) => {
    const box = visibleBox(convertPoints68(matVariable(mat, 'pt3d_68', file, [3, 68]).data, file));
    const { data: raw, shape } = matVariable(mat, 'pt2d', file);
    // Three files have two more points behind the 21.
    if (shape[0] !== 2 || shape[1] < 21) {
      throw new Error(`openAflw2000Visible21: expected pt2d [2, 21], got [${shape}] in ${file}`);
    }
    const visible = Uint8Array.from({ length: 21 }, (_, i) => (raw[2 * i] === -1 ? 0 : 1));
    const points = Float32Array.from(raw.slice(0, 42), (value, k) => {
      if (visible[k >> 1]) return value - 1;
      return k % 2 === 0 ? box.x + box.width / 2 : box.y + box.height / 2;
    });
    return { landmarks: createLandmarks(points, 2), box, visible };
  });
}

/**
 * `pt3d_68` or a row of `AFLW2000-3D.pts68.npy`, given per point as x, y, z: to voxface axes.
 * @internal
 */
export function convertPoints68(raw: ArrayLike<number>, where: string): Landmarks<3> {
  const points = Float32Array.from(raw, (value, k) => (k % 3 === 2 ? -value : value - CORNER_ORIGIN));
  let landmarks: Landmarks<3>;
  try {
    landmarks = centerDepth(createLandmarks(points, 3));
  } catch (error) {
    throw new Error(`convertPoints68: ${(error as Error).message} in ${where}`, { cause: error });
  }
  checkShape(landmarks, IBUG_68, where);
  return landmarks;
}

/** What all faces of a labelling have in common. */
interface Labelling<D extends 2 | 3> {
  readonly name: string;
  readonly dims: D;
  readonly scheme: LandmarkScheme;
  readonly conversions: readonly string[];
}

/** Opens the faces; `convert` reads what differs between the labellings. */
async function openMatPairs<D extends 2 | 3>(
  root: string,
  { name, dims, scheme, conversions }: Labelling<D>,
  { onProblem, yaw = 'fitted', annotations }: Aflw20003dOptions,
  convert: (
    mat: MatFile,
    pair: MatPair,
    parameters: () => FaceParameters,
  ) => Pick<Annotation<D>, 'landmarks' | 'box' | 'visible' | 'attributes'>,
): Promise<Dataset<D>> {
  const files = await listFiles(root);
  const images = imagesByStem(files);
  const { problems, report } = collectProblems(onProblem);
  const pairs: MatPair[] = [];
  const mats = files.filter((file) => file.endsWith('.mat') && !/(^|\/)Code\//.test(file)).sort();
  for (const [row, mat] of mats.entries()) {
    const id = stemOf(mat);
    const image = images.get(id);
    if (image) pairs.push({ row, id, image, mat });
    else {
      const error = new Error(`openAflw20003d: expected a picture beside ${mat}, got none with its stem`);
      report({ id, error });
    }
  }
  if (pairs.length === 0 && problems.length === 0)
    throw new Error(`openAflw20003d: expected .mat files, got none under ${root}`);
  const rows = yaw === 'paper' ? await openRows(root, annotations) : undefined;
  const absolute = await rows?.read('AFLW2000-3D-new.pose.npy', [ROWS]);
  return createRecordDataset({
    name,
    scheme,
    dims,
    ids: pairs.map(({ id }) => id),
    annotate: async (index) => {
      const pair = pairs[index];
      const mat = parseMat(await readFile(path.join(root, pair.mat)), pair.mat);
      const parameters = () => readFaceParameters(mat, pair.mat);
      const found = convert(mat, pair, parameters);
      const fitted = yawOfParameters(parameters());
      rows?.check(pair.row, fitted, pair.mat);
      return {
        id: pair.id,
        ...found,
        scheme,
        yaw: absolute?.[pair.row] ?? fitted,
        provenance: { dataset: name, files: [pair.image, pair.mat], conversions: [...conversions] },
      };
    },
    readImage: (index) => readFile(path.join(root, pairs[index].image)),
    decode: decodeImage,
    problems,
  });
}

const ROWS = 2000;

/** Arrays of 3DDFA beside the pictures: row i is the i-th face by name. */
async function openRows(root: string, folder = path.join(root, 'annotations')) {
  const read = (name: string, shape: readonly number[]) => readAnnotations(folder, name, shape);
  const pose = await read('AFLW2000-3D.pose.npy', [ROWS]);
  return {
    read,
    /** @throws Error when a row is not that of a face with this fitted yaw. */
    check(row: number, yaw: number, file: string): void {
      if (Math.abs(-pose[row] - yaw) < 0.01) return;
      throw new Error(
        `openAflw20003d: row ${row} of AFLW2000-3D.pose.npy must be the yaw of ${file}, ${(-yaw).toFixed(2)}, got ${pose[row]} (the arrays need all 2000 faces)`,
      );
    },
  };
}

/** @throws Error naming the file that is missing or of another shape. */
async function readAnnotations(
  folder: string,
  name: string,
  shape: readonly number[],
): Promise<Float64Array> {
  const file = path.join(folder, name);
  const array = await readNpy(file);
  if (array.shape.length !== shape.length || shape.some((n, i) => array.shape[i] !== n)) {
    throw new Error(`readAflw2000Annotations: expected [${shape}], got [${array.shape}] in ${file}`);
  }
  return array.data;
}

/** Row of [2000, 2, 68], to pixel centres. */
function reannotatedOf(labels: Float64Array, row: number): Landmarks<2> {
  const points = interleave(labels, row, 2, 68).map((value) => value - CORNER_ORIGIN);
  return createLandmarks(points, 2);
}

/** The ground truths of all 2000 faces as 3DDFA publishes them, converted to voxface axes; row i is face i. */
export interface Aflw2000Annotations {
  /** [68, 3] each, z with zero mean. */
  readonly points68: readonly Landmarks<3>[];
  /** [68, 2] each: the second annotation, which differs by 3.1 % NME from the first; taken to have the same origin. */
  readonly reannotated: readonly Landmarks<2>[];
  /** The up to 21 visible points of AFLW; hidden ones are masked and lie at 0, 0. */
  readonly points21: readonly { readonly landmarks: Landmarks<2>; readonly visible: Uint8Array }[];
  /** Degrees, house sign, from the fitted pose (beyond +-90 for a few). */
  readonly yaw: Float64Array;
  /** Degrees, |yaw| of AFLW's own pose: the split "as in the paper". */
  readonly absoluteYaw: Float64Array;
}

/**
 * Reads the `.npy` files of 3DDFA's `test.configs` (`AFLW2000-3D.pts68.npy` and so on).
 * @throws Error naming the file that is missing or of another shape.
 */
export async function readAflw2000Annotations(folder: string): Promise<Aflw2000Annotations> {
  const read = (name: string, shape: readonly number[]) => readAnnotations(folder, name, shape);
  const count = ROWS;
  const points68 = await read('AFLW2000-3D.pts68.npy', [count, 3, 68]);
  const again = await read('AFLW2000-3D-Reannotated.pts68.npy', [count, 2, 68]);
  const points21 = await read('AFLW2000-3D.pts21.npy', [count, 2, 21]);
  const yaw = await read('AFLW2000-3D.pose.npy', [count]);
  const rows = Array.from({ length: count }, (_, row) => row);
  return {
    points68: rows.map((row) => convertPoints68(interleave(points68, row, 3, 68), `row ${row}`)),
    reannotated: rows.map((row) => reannotatedOf(again, row)),
    points21: rows.map((row) => {
      const raw = interleave(points21, row, 2, AFLW_21.count);
      const visible = Uint8Array.from({ length: AFLW_21.count }, (_, i) => (raw[2 * i] === -1 ? 0 : 1));
      return {
        landmarks: createLandmarks(
          raw.map((value, k) => (visible[k >> 1] ? value - 1 : 0)),
          2,
        ),
        visible,
      };
    }),
    yaw: yaw.map((value) => -value),
    absoluteYaw: await read('AFLW2000-3D-new.pose.npy', [count]),
  };
}

/** Row of [count, dims, n] as [n, dims]. */
function interleave(data: Float64Array, row: number, dims: number, n: number): Float64Array {
  return Float64Array.from(
    { length: dims * n },
    (_, k) => data[(row * dims + (k % dims)) * n + Math.floor(k / dims)],
  );
}
