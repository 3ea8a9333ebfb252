import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { IBUG_68, type LandmarkScheme, toPlane, withDefaults } from '@voxface/landmarks';
import { mapConcurrently } from '../batches.ts';
import { parsePts } from '../parse-pts.ts';
import {
  checkShape,
  collectProblems,
  createRecordDataset,
  maskMissing,
  type ProblemHandler,
} from '../record-dataset.ts';
import type { Annotation, Dataset } from '../sample.ts';
import { decodeImage, imagesByStem, listFiles, stemOf } from './read-image.ts';

export interface PtsFolderOptions {
  /** Name of the dataset. @default '300w' */
  name?: string;
  /** @default IBUG_68 */
  scheme?: LandmarkScheme;
  /**
   * Coordinate of the top-left pixel's centre in the files: 1 for 300W (MATLAB), 0 for files made with 0-based tools.
   * @default 1
   */
  origin?: number;
  /** Called for each broken annotation, which is left out. @default the first one throws */
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
 * A point at -1 -1 is not annotated and masked. A header line `frame: upright`, as `voxface localize` writes it, says that
 * the points refer to the picture turned by its orientation tag. A picture may lie in another folder if its name is unique.
 * Identifiers are paths without extension, relative to `root`.
 * @throws Error when there is no `.pts`, a picture is missing, or an annotation is broken (see `onProblem`).
 * @example
 * ```js
 * import { open300w } from '@voxface/datasets/node';
 *
 * const dataset = await open300w('300w/afw');
 * const { landmarks, box } = await dataset.load(0);
 * console.log(dataset.length, landmarks.points.length, box.width > 0); // => 337 136 true
 * ```
 */
export async function open300w(root: string, options: PtsFolderOptions = {}): Promise<Dataset<2>> {
  const { name, scheme, origin } = withDefaults(PTS_FOLDER_DEFAULTS, options);
  const files = await listFiles(root);
  const images = imagesByStem(files);
  const annotationFiles = files.filter((file) => file.toLowerCase().endsWith('.pts'));
  if (annotationFiles.length === 0) {
    throw new Error(
      `open300w: expected .pts files, got none under ${root} (is this the folder with the pictures?)`,
    );
  }
  const { problems, report } = collectProblems(options.onProblem);
  const find = pictureFinder(images);
  const read = async (file: string): Promise<[Annotation<2>, string] | undefined> => {
    const id = stemOf(file);
    try {
      const image = find(id);
      if (!image) throw new Error('expected a picture beside it, got none with its stem');
      const text = await readFile(path.join(root, file), 'utf8');
      const shape = parsePts(text);
      checkShape(shape, scheme, file);
      const { points } = toPlane(shape);
      const visible = visibilityOf(points);
      const { landmarks, box } = maskMissing(points, origin, visible);
      const upright = /^\s*frame\s*:\s*upright/im.test(text.slice(0, text.indexOf('{')));
      const conversions = origin === 0 ? [] : [`${origin}-based to 0-based: x - ${origin}, y - ${origin}`];
      const annotation: Annotation<2> = {
        id,
        landmarks,
        scheme,
        box,
        ...(visible && { visible }),
        ...(upright && { upright }),
        provenance: { dataset: name, files: [image, file], conversions },
      };
      return [annotation, image];
    } catch (error) {
      report({ id, error: new Error(`open300w: ${file}: ${(error as Error).message}`, { cause: error }) });
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
    problems,
  });
}

/** The picture of a stem: beside it, or the only one of that name in another folder. */
function pictureFinder(images: ReadonlyMap<string, string>): (stem: string) => string | undefined {
  const byName = new Map<string, string[]>();
  for (const [stem, file] of images) {
    const name = path.basename(stem);
    byName.set(name, [...(byName.get(name) ?? []), file]);
  }
  return (stem) => {
    const others = byName.get(path.basename(stem)) ?? [];
    return images.get(stem) ?? (others.length === 1 ? others[0] : undefined);
  };
}

/** -1 -1 stands for a point that was not annotated. */
function visibilityOf(points: Float32Array): Uint8Array | undefined {
  const visible = new Uint8Array(points.length / 2);
  for (let i = 0; i < visible.length; i++)
    visible[i] = points[2 * i] === -1 && points[2 * i + 1] === -1 ? 0 : 1;
  if (!visible.includes(0)) return undefined;
  if (!visible.includes(1)) throw new Error('expected at least one annotated point, got none');
  return visible;
}
