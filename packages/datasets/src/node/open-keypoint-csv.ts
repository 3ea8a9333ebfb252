import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { boxOf, createLandmarks, IBUG_68, type LandmarkScheme } from '@voxface/landmarks';
import { parseKeypointCsv } from '../parse-keypoint-csv.ts';
import { checkShape, createRecordDataset } from '../record-dataset.ts';
import type { Annotation, Dataset } from '../sample.ts';
import { decodeImage } from './decode-image.ts';
import { listFiles, stemOf } from './list-files.ts';
import type { ProblemHandler } from './open-300w.ts';

export interface KeypointCsvOptions {
  name?: string;
  scheme?: LandmarkScheme;
  /** Coordinate of the top-left pixel's centre in the file. */
  origin?: number;
  /** Absent: the first broken row throws. Given: broken ones are reported and left out. */
  onProblem?: ProblemHandler;
}

export const KEYPOINT_CSV_DEFAULTS: Required<Omit<KeypointCsvOptions, 'onProblem'>> = {
  name: 'keypoint-csv',
  scheme: IBUG_68,
  origin: 0,
};

/**
 * Opens a keypoint CSV: rows of a file name and x, y pairs, as in the YouTube facial keypoints set.
 * Identifiers are the file names without extension.
 * @param imageRoot folder that the file names are relative to.
 * @throws Error when a row has the wrong number of values, a value is not finite, or a picture is missing.
 */
export async function openKeypointCsv(
  csvFile: string,
  imageRoot: string,
  options: KeypointCsvOptions = {},
): Promise<Dataset<2>> {
  const { name, scheme, origin } = { ...KEYPOINT_CSV_DEFAULTS, ...options };
  const present = new Set(await listFiles(imageRoot));
  const conversions = origin === 0 ? [] : [`${origin}-based to 0-based: x - ${origin}, y - ${origin}`];
  const annotations: Annotation<2>[] = [];
  for (const { file, points, line } of parseKeypointCsv(
    await readFile(csvFile, 'utf8'),
    scheme.count,
    options.onProblem,
  )) {
    try {
      if (!present.has(file)) {
        throw new Error(`openKeypointCsv: line ${line} names ${file}, which is not under ${imageRoot}`);
      }
      const landmarks = createLandmarks(
        points.map((value) => value - origin),
        2,
      );
      checkShape(landmarks, scheme, `line ${line} of ${csvFile}`);
      const provenance = { dataset: name, files: [file], conversions };
      annotations.push({ id: stemOf(file), landmarks, scheme, box: boxOf(landmarks), provenance });
    } catch (error) {
      if (!options.onProblem) throw error;
      options.onProblem({ id: stemOf(file), error: error as Error });
    }
  }
  return createRecordDataset({
    name,
    scheme,
    dims: 2,
    ids: annotations.map((annotation) => annotation.id),
    annotate: (index) => annotations[index],
    readImage: (index) => readFile(path.join(imageRoot, annotations[index].provenance.files[0])),
    decode: decodeImage,
  });
}
