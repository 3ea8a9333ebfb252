import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type Box,
  boxOf,
  centerDepth,
  createLandmarks,
  type Landmarks,
  THREEDFAW_66,
  withDefaults,
} from '@voxface/landmarks';
import { parseMat } from '../parse-mat.ts';
import { checkShape, createRecordDataset } from '../record-dataset.ts';
import type { Annotation, Dataset } from '../sample.ts';
import { decodeImage, IMAGE_EXTENSIONS, listFiles, stemOf } from './read-image.ts';

/** Meaning of the four numbers of a box file. */
export type BoxOrder =
  | 'x,y,width,height'
  | 'left,top,right,bottom'
  | 'top,left,bottom,right'
  | 'left,right,top,bottom';

export interface ThreeDfawOptions {
  /**
   * The annotation file of a picture, relative to the root, given the picture's path relative to the root.
   * @default the picture's name with `.txt`, `.csv` or `.mat`, with or without `_lm` before it, beside the picture or in a folder with `lm` or
   * `landmarks` in its name where the picture's has `img` or `images`.
   */
  annotationOf?: (image: string) => string;
  /** The box file of a picture. @default none: the tight box of the landmarks is taken */
  boxOf?: (image: string) => string;
  /** @default 'x,y,width,height' */
  boxOrder?: BoxOrder;
  /** Coordinate of the top-left pixel's centre in the files. @default 0 */
  origin?: number;
  /** Direction of +z in the files. @default 'toward-camera' */
  depth?: 'toward-camera' | 'away-from-camera';
}

export const THREEDFAW_DEFAULTS: Required<Omit<ThreeDfawOptions, 'annotationOf' | 'boxOf'>> = {
  boxOrder: 'x,y,width,height',
  origin: 0,
  depth: 'toward-camera',
};

/**
 * Opens 3DFAW: pictures with 66 3D landmarks each. Its layout on disk is not public, so you may say where a picture's
 * annotation is, and every sample is checked when it is read: 66 x 3 finite numbers (text with commas, blanks or
 * semicolons, or a `.mat` with one such matrix), x and y inside the picture, and the nose nearer to the camera than
 * the ends of the jaw.
 * @throws Error when there is no picture or an annotation is missing; at `load`, when a check fails.
 */
export async function open3dfaw(root: string, options: ThreeDfawOptions = {}): Promise<Dataset<3>> {
  const settings = withDefaults(THREEDFAW_DEFAULTS, options);
  const files = await listFiles(root);
  const present = new Set(files);
  const images = files.filter((file) => IMAGE_EXTENSIONS.includes(path.extname(file).toLowerCase()));
  if (images.length === 0) throw new Error(`open3dfaw: expected pictures, got none under ${root}`);
  const annotations = images.map((image) => {
    const candidates = settings.annotationOf ? [settings.annotationOf(image)] : usualAnnotations(image);
    const file = candidates.find((name) => present.has(name));
    if (file === undefined) {
      throw new Error(
        `open3dfaw: expected the annotation ${candidates[0]} of ${image}, got none under ${root} (66 rows of x, y, z; another name: set annotationOf)`,
      );
    }
    return file;
  });
  const annotate = async (index: number): Promise<Annotation<3>> => {
    const image = images[index];
    const file = annotations[index];
    const landmarks = convertPoints(readMatrix(await readFile(path.join(root, file)), file), settings, file);
    const boxFile = settings.boxOf?.(image);
    return {
      id: stemOf(image),
      landmarks,
      scheme: THREEDFAW_66,
      box: boxFile
        ? await readBox(path.join(root, boxFile), settings.boxOrder, settings.origin)
        : boxOf(landmarks),
      provenance: {
        dataset: '3dfaw',
        files: [image, file, ...(boxFile ? [boxFile] : [])],
        conversions: [
          `x - ${settings.origin}, y - ${settings.origin}`,
          settings.depth === 'toward-camera' ? 'z: sign turned, zero mean' : 'z: zero mean',
        ],
      },
    };
  };
  return createRecordDataset({
    name: '3dfaw',
    scheme: THREEDFAW_66,
    dims: 3,
    ids: images.map(stemOf),
    annotate,
    readImage: (index) => readFile(path.join(root, images[index])),
    decode: decodeImage,
  });
}

/** Where an annotation may be, likeliest first. */
function usualAnnotations(image: string): string[] {
  const stems = [
    stemOf(image),
    stemOf(image).replace(/(^|[/_])img(?=[/_])/, '$1lm'),
    stemOf(image).replace(/(^|[/_])images(?=[/_])/, '$1landmarks'),
  ];
  return [...new Set(stems)].flatMap((stem) =>
    ['', '_lm'].flatMap((end) => ['.txt', '.csv', '.mat'].map((extension) => `${stem}${end}${extension}`)),
  );
}

/** [66, 3] interleaved, from text or a `.mat` with one matrix of 66 x 3 or 3 x 66. */
function readMatrix(bytes: Uint8Array, file: string): number[] {
  if (!file.toLowerCase().endsWith('.mat')) {
    return readNumbers(new TextDecoder().decode(bytes), 198, file);
  }
  for (const { shape, data } of parseMat(bytes, file).variables.values()) {
    const [rows, columns] = shape;
    if (shape.length === 2 && rows === 3 && columns === 66) return Array.from(data);
    if (shape.length === 2 && rows === 66 && columns === 3) {
      return Array.from({ length: 198 }, (_, k) => data[(k % 3) * 66 + Math.floor(k / 3)]);
    }
  }
  throw new Error(`open3dfaw: expected a matrix of 66 x 3, got none in ${file}`);
}

function readNumbers(text: string, count: number, file: string): number[] {
  const numbers = text
    .split(/[\s,;]+/)
    .filter((word) => word !== '')
    .map(Number);
  if (numbers.length !== count || !numbers.every(Number.isFinite)) {
    throw new Error(`open3dfaw: expected ${count} finite numbers, got ${numbers.length} words in ${file}`);
  }
  return numbers;
}

function convertPoints(
  raw: readonly number[],
  { origin, depth }: Required<Pick<ThreeDfawOptions, 'origin' | 'depth'>>,
  file: string,
): Landmarks<3> {
  const sign = depth === 'toward-camera' ? -1 : 1;
  const landmarks = centerDepth(
    createLandmarks(
      raw.map((value, k) => (k % 3 === 2 ? sign * value : value - origin)),
      3,
    ),
  );
  checkShape(landmarks, THREEDFAW_66, file);
  const z = (i: number): number => landmarks.points[3 * i + 2];
  if (!(z(30) < (z(0) + z(16)) / 2)) {
    throw new Error(
      `open3dfaw: the nose must be nearer to the camera than the ends of the jaw, got depths ${z(30).toFixed(1)} and ${((z(0) + z(16)) / 2).toFixed(1)} in ${file} (set depth to '${depth === 'toward-camera' ? 'away-from-camera' : 'toward-camera'}')`,
    );
  }
  return landmarks;
}

async function readBox(file: string, order: BoxOrder, origin: number): Promise<Box> {
  const [a, b, c, d] = readNumbers(await readFile(file, 'utf8'), 4, file);
  const [left, top, width, height] = {
    'x,y,width,height': [a, b, c, d],
    'left,top,right,bottom': [a, b, c - a, d - b],
    'top,left,bottom,right': [b, a, d - b, c - a],
    'left,right,top,bottom': [a, c, b - a, d - c],
  }[order];
  if (!(width > 0 && height > 0)) {
    throw new Error(
      `open3dfaw: a box must have positive size, got ${width} x ${height} read as ${order} in ${file} (set boxOrder)`,
    );
  }
  return { x: left - origin, y: top - origin, width, height };
}
