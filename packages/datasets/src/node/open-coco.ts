import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Box, IBUG_68, type LandmarkScheme, withDefaults } from '@voxface/landmarks';
import type { ProblemHandler } from '../record-dataset.ts';
import {
  checkBox,
  checkInnerPath,
  collectProblems,
  createRecordDataset,
  maskMissing,
} from '../record-dataset.ts';
import type { Annotation, Dataset } from '../sample.ts';
import { decodeImage } from './read-image.ts';

export interface CocoOptions {
  /** @default 'coco' */
  name?: string;
  /** @default IBUG_68 */
  scheme?: LandmarkScheme;
  /**
   * Field of an annotation that holds x, y, v triples.
   * @default `face_kpts` (COCO-WholeBody) where there is one, else `keypoints`
   */
  field?: string;
  /** `landmarks`: tight box of the points with v > 0; `bbox`: the file's. @default 'landmarks' */
  box?: 'landmarks' | 'bbox';
  /** Coordinate of the top-left pixel's centre in the file. @default 0 */
  origin?: number;
  /** Called for each broken annotation, which is left out. @default the first one throws */
  onProblem?: ProblemHandler;
}

export const COCO_DEFAULTS: Required<Omit<CocoOptions, 'onProblem' | 'field'>> = {
  name: 'coco',
  scheme: IBUG_68,
  box: 'landmarks',
  origin: 0,
};

interface CocoFile {
  images?: { id: number; file_name: string }[];
  annotations?: { id: number; image_id: number; bbox?: unknown; [field: string]: unknown }[];
}

/**
 * Opens a COCO-style keypoint file: `images` and `annotations` with x, y, v triples (v = 0: not annotated, masked).
 * Identifiers are annotation ids. Annotations without a single annotated point are left out.
 * @throws Error when the file is no such JSON, ids repeat, or an annotation has another number of points.
 */
export async function openCoco(
  jsonFile: string,
  imageRoot: string,
  options: CocoOptions = {},
): Promise<Dataset<2>> {
  const { name, scheme, box, origin } = withDefaults(COCO_DEFAULTS, options);
  const { images, annotations } = await readJson(jsonFile);
  if (!Array.isArray(images) || !Array.isArray(annotations)) {
    throw new Error(
      `openCoco: expected the arrays "images" and "annotations", got ${typeof images} and ${typeof annotations} in ${jsonFile}`,
    );
  }
  for (const [i, item] of [...images, ...annotations].entries()) {
    if (typeof item === 'object' && item !== null) continue;
    const place = i < images.length ? `images[${i}]` : `annotations[${i - images.length}]`;
    throw new Error(`openCoco: ${place} must be an object, got ${JSON.stringify(item)} in ${jsonFile}`);
  }
  const wholeBody = annotations.some((annotation) => annotation.face_kpts !== undefined);
  const field = options.field ?? (wholeBody ? 'face_kpts' : 'keypoints');
  const files = new Map(images.map((image) => [image.id, image.file_name]));
  const { problems, report } = collectProblems(options.onProblem);
  const records: Annotation<2>[] = [];
  for (const annotation of annotations) {
    const id = String(annotation.id);
    try {
      const file = files.get(annotation.image_id);
      if (!file)
        throw new Error(
          `openCoco: annotation ${id} names image ${annotation.image_id}, which is not listed in ${jsonFile}`,
        );
      checkInnerPath('openCoco', String(file), jsonFile);
      const triples = annotation[field];
      if (!Array.isArray(triples) || triples.length !== scheme.count * 3) {
        throw new Error(
          `openCoco: expected ${scheme.count} x, y, v triples in "${field}", got ${Array.isArray(triples) ? triples.length : typeof triples} of annotation ${id} in ${jsonFile}`,
        );
      }
      const record = annotateTriples(id, triples as number[], scheme, origin);
      if (!record) continue;
      const given = readBbox(annotation.bbox, box === 'bbox', origin, `annotation ${id} in ${jsonFile}`);
      records.push({
        ...record,
        box: given ?? record.box,
        provenance: { dataset: name, files: [file], conversions: [`box: ${given ? 'bbox' : 'landmarks'}`] },
      });
    } catch (error) {
      report({ id, error: error as Error });
    }
  }
  return createRecordDataset({
    name,
    scheme,
    dims: 2,
    ids: records.map(({ id }) => id),
    annotate: (index) => records[index],
    readImage: (index) => readFile(path.join(imageRoot, records[index].provenance.files[0])),
    decode: decodeImage,
    problems,
  });
}

/** The file's box where it is wanted and there; one that is no list is refused even where it is not wanted. */
function readBbox(bbox: unknown, wanted: boolean, origin: number, place: string): Box | undefined {
  if (bbox === undefined || bbox === null) return undefined;
  const fits = Array.isArray(bbox) && (!wanted || (bbox.length === 4 && bbox.every(Number.isFinite)));
  if (!fits) {
    throw new Error(
      `openCoco: bbox must be a list of four numbers, x, y, width, height, got ${JSON.stringify(bbox)} of ${place}`,
    );
  }
  const [x, y, width, height] = bbox;
  return wanted ? checkBox({ x: x - origin, y: y - origin, width, height }, place) : undefined;
}

async function readJson(file: string): Promise<CocoFile> {
  const text = await readFile(file, 'utf8');
  try {
    return JSON.parse(text) as CocoFile;
  } catch (error) {
    throw new Error(`openCoco: expected JSON, got ${(error as Error).message} in ${file}`, { cause: error });
  }
}

function annotateTriples(
  id: string,
  triples: readonly number[],
  scheme: LandmarkScheme,
  origin: number,
): Omit<Annotation<2>, 'provenance'> | undefined {
  const visible = Uint8Array.from({ length: scheme.count }, (_, i) => (triples[3 * i + 2] > 0 ? 1 : 0));
  if (!visible.includes(1)) return undefined;
  const odd = visible.findIndex(
    (value, i) =>
      value === 1 && !(typeof triples[3 * i] === 'number' && typeof triples[3 * i + 1] === 'number'),
  );
  if (odd >= 0) {
    throw new Error(
      `openCoco: expected numbers, got ${JSON.stringify(triples.slice(3 * odd, 3 * odd + 3))} at landmark ${odd} of annotation ${id}`,
    );
  }
  const raw = Float32Array.from({ length: scheme.count * 2 }, (_, k) => triples[3 * (k >> 1) + (k % 2)]);
  const { landmarks, box } = maskMissing(raw, origin, visible);
  const whole = visible.every((value) => value === 1);
  return { id, landmarks, scheme, box, ...(!whole && { visible }) };
}
