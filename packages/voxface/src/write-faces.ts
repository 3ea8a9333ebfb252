import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Box, Landmarks } from '@voxface/landmarks';
import { countLandmarks } from '@voxface/landmarks';
import { UsageError } from './errors.ts';

export const FACE_FORMATS = ['json', 'csv', 'pts'] as const;
export type FaceFormat = (typeof FACE_FORMATS)[number];

/** One face found in a photo; pixels of the photo, z zero-mean and away from the camera, angles in degrees. */
export interface FoundFace {
  readonly box: Box;
  readonly score: number;
  readonly landmarks: Landmarks<3>;
  readonly pose: { readonly yaw: number; readonly pitch: number; readonly roll: number };
}

/** What `localize` knows about one photo. */
export interface PhotoResult {
  readonly image: { readonly path: string; readonly width: number; readonly height: number };
  readonly model: string;
  readonly backend: string;
  readonly faces: readonly FoundFace[];
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

/** Writes `stem.json`, `stem.csv` and, one file per face, `stem-1.pts` (1-based, as 300W writes them). */
export async function writeFaces(
  directory: string,
  stem: string,
  result: PhotoResult,
  formats: readonly FaceFormat[],
): Promise<string[]> {
  const written: string[] = [];
  const save = async (name: string, text: string): Promise<void> => {
    const file = join(directory, name);
    await writeFile(file, text);
    written.push(file);
  };
  if (formats.includes('json')) await save(`${stem}.json`, `${JSON.stringify(toJson(result), null, 1)}\n`);
  if (formats.includes('csv')) await save(`${stem}.csv`, toCsv(result.faces));
  if (formats.includes('pts')) {
    for (const [i, face] of result.faces.entries()) await save(`${stem}-${i + 1}.pts`, toPts(face.landmarks));
  }
  return written;
}

function toJson(result: PhotoResult): object {
  return {
    ...result,
    faces: result.faces.map((face) => ({
      box: mapValues(face.box, round),
      score: round(face.score),
      landmarks: rows(face.landmarks).map((row) => row.map(round)),
      pose: mapValues(face.pose, round),
    })),
  };
}

function toCsv(faces: readonly FoundFace[]): string {
  const lines = ['face,landmark,x,y,z'];
  faces.forEach((face, f) => {
    rows(face.landmarks).forEach((row, n) => {
      lines.push([f, n, ...row.map(round)].join(','));
    });
  });
  return `${lines.join('\n')}\n`;
}

function toPts(landmarks: Landmarks<3>): string {
  const body = rows(landmarks).map(([x, y]) => `${(x + 1).toFixed(3)} ${(y + 1).toFixed(3)}`);
  return `version: 1\nn_points: ${body.length}\n{\n${body.join('\n')}\n}\n`;
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
