import { existsSync, readFileSync } from 'node:fs';
import { lstat, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatPts } from '@voxface/datasets';
import { IMAGE_EXTENSIONS, isTurnedPicture } from '@voxface/datasets/node';
import { countLandmarks, createLandmarks, type Landmarks, type Pixels } from '@voxface/landmarks';
import type { LocatedFace } from '@voxface/predict';
import { UsageError } from '../options.ts';

export const FACE_FORMATS = ['json', 'csv', 'pts'] as const;
export type FaceFormat = (typeof FACE_FORMATS)[number];

/** What `localize` knows about one photo. */
export interface PhotoResult {
  readonly image: { readonly path: string; readonly width: number; readonly height: number };
  readonly model: string;
  readonly backend: string;
  readonly faces: readonly LocatedFace[];
}

/**
 * Reads a list such as `json,csv`.
 * @throws UsageError naming the formats there are.
 */
export function parseFormats(text: string): FaceFormat[] {
  const names = text.split(',').map((name) => name.trim());
  for (const name of names) {
    if (!FACE_FORMATS.includes(name as FaceFormat)) {
      throw new UsageError(`--format: expected some of ${FACE_FORMATS.join(', ')}, got ${name}`);
    }
  }
  return names as FaceFormat[];
}

/** The file that is written first for a photo, which tells `--resume` that the photo is done. */
export function firstFile(stem: string, formats: readonly FaceFormat[]): string {
  const [first = 'json'] = formats.filter((format) => format !== 'pts');
  return formats.every((format) => format === 'pts') ? `${stem}-1.pts` : `${stem}.${first}`;
}

/** Whether a file is there and, where it says of which photo it is, is of this one. */
export function isResultOf(file: string, photo: string): boolean {
  try {
    const text = readFileSync(file, 'utf8');
    return !file.endsWith('.json') || ownerOf(text) === photo;
  } catch {
    return false;
  }
}

function isPictureBeside(stem: string): boolean {
  return IMAGE_EXTENSIONS.some(
    (ending) => existsSync(stem + ending) || existsSync(stem + ending.toUpperCase()),
  );
}

/** The photo that a result in JSON is of. */
function ownerOf(text: string): string | undefined {
  try {
    const { image, model, faces } = JSON.parse(text) as Partial<PhotoResult>;
    return typeof model === 'string' && Array.isArray(faces) ? image?.path : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Writes a file beside its place and moves it there: a killed process leaves no half file that would pass for a result.
 * @param isOwn whether what may be there already is an earlier result for the same photo.
 * @throws Error when something else is there.
 */
async function saveFile(file: string, content: string | Uint8Array, isOwn: boolean): Promise<void> {
  if (!isOwn && (await lstat(file).catch(() => undefined)) !== undefined) {
    const known = await readFile(file).catch(() => undefined);
    if (known === undefined || !known.equals(Buffer.from(content))) {
      throw new Error(
        `${file} is there already and no result for this photo (choose another --out, or replace it with --overwrite)`,
      );
    }
  }
  await writeFile(`${file}.part`, content);
  await rename(`${file}.part`, file);
}

/**
 * Writes `stem.json`, `stem.csv` and, one file per face, `stem-1.pts` (1-based, as 300W writes them).
 * @throws Error when a file is there that is no result for this photo, unless `overwrite` is set.
 */
export async function writeFaces(
  directory: string,
  stem: string,
  result: PhotoResult,
  formats: readonly FaceFormat[],
  overwrite = false,
): Promise<string[]> {
  const written: string[] = [];
  // The JSON says which photo the files beside it are of.
  const isOwn = overwrite || isResultOf(join(directory, `${stem}.json`), result.image.path);
  const save = async (name: string, text: string, own = isOwn): Promise<void> => {
    const file = join(directory, name);
    await saveFile(file, text, own);
    written.push(file);
  };
  if (formats.includes('json')) await save(`${stem}.json`, `${JSON.stringify(toJson(result), null, 1)}\n`);
  if (formats.includes('csv')) await save(`${stem}.csv`, toCsv(result.faces));
  if (formats.includes('pts')) {
    const turned = await isTurnedPicture(result.image.path).catch(() => false);
    for (const [i, face] of result.faces.entries()) {
      const name = `${stem}-${i + 1}`;
      // Beside a photo of that name, points are its annotation.
      const own = overwrite || (isOwn && !isPictureBeside(join(directory, name)));
      await save(`${name}.pts`, toPts(face.landmarks, turned ? 'upright' : undefined), own);
    }
  }
  return written;
}

/**
 * Writes `stem-overlay.png` and `stem-1-view3d.png`, ... as asked; returns the files.
 * @param isOwn whether what is there already may be replaced.
 * @throws Error when a file is there that may not.
 */
export async function writePictures(
  stem: string,
  image: Pixels,
  faces: readonly LocatedFace[],
  options: { overlay?: boolean; view3d?: boolean },
  isOwn: boolean,
): Promise<string[]> {
  if (!options.overlay && !options.view3d) return [];
  const [{ view3dSheetSvg }, { overlayPng, renderPng }] = await Promise.all([
    import('@voxface/plots'),
    import('@voxface/plots/node'),
  ]);
  const written: string[] = [];
  if (options.overlay) {
    const file = `${stem}-overlay.png`;
    const marked = faces.map(({ landmarks, box, landmarkConfidence }, i) => ({
      landmarks,
      box,
      id: i + 1,
      confidence: landmarkConfidence,
    }));
    await saveFile(file, await overlayPng(image, marked), isOwn);
    written.push(file);
  }
  if (options.view3d) {
    for (const [i, face] of faces.entries()) {
      const file = `${stem}-${i + 1}-view3d.png`;
      await saveFile(file, await renderPng(view3dSheetSvg(face.landmarks)), isOwn);
      written.push(file);
    }
  }
  return written;
}

/** The result as plain data, rounded to a thousandth. */
export function toJson(result: PhotoResult): object {
  return {
    ...result,
    faces: result.faces.map(faceToJson),
  };
}

/** A face as plain data, rounded to a thousandth. */
export function faceToJson(face: Omit<LocatedFace, 'score'> & { readonly score?: number }): object {
  return {
    box: mapValues(face.box, round),
    ...(face.score !== undefined && { score: round(face.score) }),
    ...(face.confidence !== undefined && {
      confidence: round(face.confidence),
      landmarkConfidence: Array.from(face.landmarkConfidence!, round),
      visibility: Array.from(face.visibility!, round),
    }),
    landmarks: rows(face.landmarks).map((row) => row.map(round)),
    pose: mapValues(face.pose, round),
  };
}

function toCsv(faces: readonly LocatedFace[]): string {
  const isJudged = faces.some(({ confidence }) => confidence !== undefined);
  const lines = [`face,landmark,x,y,z${isJudged ? ',confidence,visibility' : ''}`];
  faces.forEach((face, f) => {
    rows(face.landmarks).forEach((row, n) => {
      const judged = isJudged ? [face.landmarkConfidence?.[n], face.visibility?.[n]] : [];
      const numbers = [...row, ...judged].map((value) => (value === undefined ? '' : round(value)));
      lines.push([f, n, ...numbers].join(','));
    });
  });
  return `${lines.join('\n')}\n`;
}

/** x and y only, 1-based, as 300W has them. */
function toPts(landmarks: Landmarks<3>, frame?: 'upright'): string {
  const points = rows(landmarks).flatMap(([x, y]) => [x + 1, y + 1]);
  return formatPts(createLandmarks(points, 2), 3, frame);
}

function rows(landmarks: Landmarks<3>): number[][] {
  return Array.from({ length: countLandmarks(landmarks) }, (_, i) => [
    ...landmarks.points.subarray(3 * i, 3 * i + 3),
  ]);
}

const round = (value: number): number => Math.round(value * 1000) / 1000;

function mapValues<T extends object>(object: T, map: (value: number) => number): Record<keyof T, number> {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value)])) as Record<
    keyof T,
    number
  >;
}
