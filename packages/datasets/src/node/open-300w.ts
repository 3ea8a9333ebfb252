import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { boxOf, IBUG_68, type LandmarkScheme, toPlane } from '@voxface/landmarks';
import { mapConcurrently } from '../batches.ts';
import { parsePts } from '../parse-pts.ts';
import { checkShape, createRecordDataset } from '../record-dataset.ts';
import type { Annotation, Dataset } from '../sample.ts';
import { decodeImage, imagesByStem, listFiles, stemOf } from './read-image.ts';

/** Told about a sample that was left out. */
export type ProblemHandler = (problem: { id: string; error: Error }) => void;

export interface PtsFolderOptions {
  /** Name of the dataset. */
  name?: string;
  scheme?: LandmarkScheme;
  /** Coordinate of the top-left pixel's centre in the files: 1 for 300W (MATLAB), 0 for files made with 0-based tools. */
  origin?: number;
  /** Absent: the first broken annotation throws. Given: broken ones are reported and left out. */
  onProblem?: ProblemHandler;
}

export const PTS_FOLDER_DEFAULTS: Required<Omit<PtsFolderOptions, 'onProblem'>> = {
  name: '300w',
  scheme: IBUG_68,
  origin: 1,
};

/**
 * Opens 300W, or any folder of `.pts` files beside pictures of the same stem (searched in all subfolders):
 * AFW, HELEN, LFPW, IBUG, Menpo, LS3D-W's `.pts`. A third column (z) is dropped.
 * Identifiers are paths without extension, relative to `root`.
 * @throws Error when there is no `.pts`, a picture is missing, or an annotation is broken (see `onProblem`).
 */
export async function open300w(root: string, options: PtsFolderOptions = {}): Promise<Dataset<2>> {
  const { name, scheme, origin } = { ...PTS_FOLDER_DEFAULTS, ...options };
  const files = await listFiles(root);
  const images = imagesByStem(files);
  const annotationFiles = files.filter((file) => file.toLowerCase().endsWith('.pts'));
  if (annotationFiles.length === 0) {
    throw new Error(
      `open300w: expected .pts files, got none under ${root} (is this the folder with the pictures?)`,
    );
  }
  const read = async (file: string): Promise<[Annotation<2>, string] | undefined> => {
    const id = stemOf(file);
    try {
      const image = images.get(id);
      if (!image) throw new Error(`open300w: expected a picture beside ${file}, got none with its stem`);
      const shape = parsePts(await readFile(path.join(root, file), 'utf8'));
      checkShape(shape, scheme, file);
      const landmarks = toPlane(shape);
      for (let i = 0; i < landmarks.points.length; i++) landmarks.points[i] -= origin;
      const conversions = origin === 0 ? [] : [`${origin}-based to 0-based: x - ${origin}, y - ${origin}`];
      const provenance = { dataset: name, files: [image, file], conversions };
      return [{ id, landmarks, scheme, box: boxOf(landmarks), provenance }, image];
    } catch (error) {
      const problem = new Error(`open300w: ${file}: ${(error as Error).message}`, { cause: error });
      if (!options.onProblem) throw problem;
      options.onProblem({ id, error: problem });
      return undefined;
    }
  };
  const records = (await mapConcurrently(annotationFiles, 32, read)).filter((record) => record !== undefined);
  return createRecordDataset({
    name,
    scheme,
    dims: 2,
    ids: records.map(([annotation]) => annotation.id),
    annotate: (index) => records[index][0],
    readImage: (index) => readFile(path.join(root, records[index][1])),
    decode: decodeImage,
  });
}
