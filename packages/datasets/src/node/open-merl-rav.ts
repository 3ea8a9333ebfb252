import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { IBUG_68, type Landmarks, withDefaults } from '@voxface/landmarks';
import { mapConcurrently } from '../batches.ts';
import { parsePts } from '../parse-pts.ts';
import type { ProblemHandler } from '../record-dataset.ts';
import {
  checkShape,
  collectProblems,
  createRecordDataset,
  maskMissing,
  maskOccluded,
  type OccludedRule,
  uniqueIds,
} from '../record-dataset.ts';
import type { Annotation, Dataset } from '../sample.ts';
import { decodeImage, imagesByStem, listFiles, stemOf } from './read-image.ts';

export interface MerlRavOptions {
  /** @default 'merl-rav' */
  name?: string;
  /** Coordinate of the top-left pixel's centre in the files. @default 0 */
  origin?: number;
  /** Only the files under a folder `trainset` (`train`) or `testset` (`test`). */
  split?: string;
  /** What becomes of points that are annotated although something hides them. @default 'count' */
  occluded?: OccludedRule;
  /** Called for each broken annotation, which is left out. @default the first one throws */
  onProblem?: ProblemHandler;
}

export const MERL_RAV_DEFAULTS: Required<Omit<MerlRavOptions, 'onProblem' | 'split'>> = {
  name: 'merl-rav',
  origin: 0,
  occluded: 'count',
};

/**
 * Opens MERL-RAV's 68 points on AFLW: `POSE/SPLIT/.../NAME.pts` anywhere under `root`. A point with both coordinates
 * negative is annotated although occluded; -1 -1 is self-occluded and masked. The picture has the label's stem, or that
 * without `_1`, `_2` (several faces of one picture). Identifiers are the stems; pose and split become attributes.
 * @param imageRoot folder with AFLW's pictures, at any depth; absent: they lie under `root`.
 * @throws Error when there is no label, a picture is missing, an annotation is broken, or no label is of the `split`.
 */
export async function openMerlRav(
  root: string,
  imageRoot: string = root,
  options: MerlRavOptions = {},
): Promise<Dataset<2>> {
  const { name, origin, occluded: rule } = withDefaults(MERL_RAV_DEFAULTS, options);
  const all = (await listFiles(root)).filter((file) => file.toLowerCase().endsWith('.pts'));
  const files = options.split === undefined ? all : all.filter((file) => splitOf(file) === options.split);
  if (files.length === 0) {
    throw new Error(
      `openMerlRav: expected .pts files${options.split === undefined ? '' : ` of split "${options.split}"`}, got ${all.length === 0 ? 'none' : `${all.length} of other splits`} under ${root}`,
    );
  }
  const images = new Map<string, string>();
  for (const [stem, file] of imagesByStem(await listFiles(imageRoot))) images.set(path.basename(stem), file);
  const ids = uniqueIds(files.map((file) => path.basename(stemOf(file))));
  const { problems, report } = collectProblems(options.onProblem);
  const read = async (file: string): Promise<[Annotation<2>, string] | undefined> => {
    const id = ids[files.indexOf(file)];
    try {
      const stem = path.basename(stemOf(file));
      const image = images.get(stem) ?? images.get(stem.replace(/_\d+$/, ''));
      if (!image) throw new Error(`expected the picture ${stem}.jpg under ${imageRoot}, got none`);
      const signed = decodeSigns(parsePts(await readFile(path.join(root, file), 'utf8')));
      const { landmarks, box } = maskMissing(signed.points, origin, signed.visible);
      checkShape(landmarks, IBUG_68, file);
      const visible = maskOccluded(signed.visible, signed.occluded, rule);
      const attributes = attributesOf(file);
      const annotation: Annotation<2> = {
        id,
        landmarks,
        scheme: IBUG_68,
        box,
        ...(visible && { visible }),
        ...(signed.occluded && { occluded: signed.occluded }),
        ...(Object.keys(attributes).length > 0 && { attributes }),
        provenance: {
          dataset: name,
          files: [image, file],
          conversions: [
            'negative: occluded, sign turned; -1 -1: masked',
            ...(origin === 0 ? [] : [`x - ${origin}, y - ${origin}`]),
          ],
        },
      };
      return [annotation, image];
    } catch (error) {
      const problem = new Error(`openMerlRav: ${file}: ${(error as Error).message}`, { cause: error });
      report({ id, error: problem });
      return undefined;
    }
  };
  const records = (await mapConcurrently(files, 32, read)).filter((record) => record !== undefined);
  return createRecordDataset({
    name,
    scheme: IBUG_68,
    dims: 2,
    ids: records.map(([annotation]) => annotation.id),
    annotate: (index) => records[index][0],
    readImage: (index) => readFile(path.join(imageRoot, records[index][1])),
    decode: decodeImage,
    problems,
  });
}

/** The folders that MERL-RAV's labels come in. */
export const MERL_RAV_FOLDER: RegExp = /(^|\/)(frontal|left|lefthalf|right|righthalf)\/(train|test)set\//;

function splitOf(file: string): string | undefined {
  return /(^|\/)(train|test)set\//.exec(file)?.[2];
}

function attributesOf(file: string): Record<string, string> {
  const folders = MERL_RAV_FOLDER.exec(file);
  const split = splitOf(file);
  return { ...(split && { split }), ...(folders && { pose: folders[2] }) };
}

function decodeSigns({ points: raw, dims }: Landmarks): {
  points: Float32Array;
  visible?: Uint8Array;
  occluded?: Uint8Array;
} {
  const count = raw.length / dims;
  const points = new Float32Array(count * 2);
  const visible = new Uint8Array(count).fill(1);
  const occluded = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const [x, y] = [raw[dims * i], raw[dims * i + 1]];
    if (x === -1 && y === -1) visible[i] = 0;
    else if (x < 0 && y < 0) {
      occluded[i] = 1;
      points.set([-x, -y], 2 * i);
    } else points.set([x, y], 2 * i);
  }
  if (!visible.includes(1)) throw new Error('expected at least one annotated point, got none');
  return {
    points,
    ...(visible.includes(0) && { visible }),
    ...(occluded.includes(1) && { occluded }),
  };
}
