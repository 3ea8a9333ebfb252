import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { boxOf, createLandmarks, WFLW_98 } from '@voxface/landmarks';
import { checkShape, createRecordDataset } from '../record-dataset.ts';
import type { Annotation, Dataset } from '../sample.ts';
import type { ProblemHandler } from './open-300w.ts';
import { decodeImage } from './read-image.ts';

export interface WflwOptions {
  /** `landmarks`: tight box of the 98 points; `rectangle`: the box of the list. */
  box?: 'landmarks' | 'rectangle';
  /** Absent: the first broken line throws. Given: broken ones are reported and left out. */
  onProblem?: ProblemHandler;
}

export const WFLW_DEFAULTS: Required<Omit<WflwOptions, 'onProblem'>> = { box: 'landmarks' };

/** The six flags of a line, in their order; 1 in the file is true. */
export const WFLW_ATTRIBUTES: readonly string[] = [
  'large-pose',
  'expression',
  'illumination',
  'make-up',
  'occlusion',
  'blur',
];

/**
 * Opens WFLW: a list such as `list_98pt_rect_attr_train.txt`, one face per line: 196 coordinates (0-based), x and y
 * minimum and maximum of the rectangle, six flags, path of the picture. Identifiers are path and line number, because
 * one picture may hold several faces. The flags are in `attributes`.
 * @param imageRoot the folder `WFLW_images`.
 * @throws Error naming the line that breaks a rule.
 */
export async function openWflw(
  listFile: string,
  imageRoot: string,
  options: WflwOptions = {},
): Promise<Dataset<2>> {
  const { box } = { ...WFLW_DEFAULTS, ...options };
  const annotations: Annotation<2>[] = [];
  const lines = (await readFile(listFile, 'utf8')).split('\n');
  lines.forEach((line, i) => {
    if (line.trim() === '') return;
    try {
      annotations.push(annotateLine(line.trim().split(/\s+/), i + 1, box));
    } catch (error) {
      const problem = new Error(`openWflw: line ${i + 1} of ${listFile}: ${(error as Error).message}`, {
        cause: error,
      });
      if (!options.onProblem) throw problem;
      options.onProblem({ id: `line ${i + 1}`, error: problem });
    }
  });
  return createRecordDataset({
    name: 'wflw',
    scheme: WFLW_98,
    dims: 2,
    ids: annotations.map(({ id }) => id),
    annotate: (index) => annotations[index],
    readImage: (index) => readFile(path.join(imageRoot, annotations[index].provenance.files[0])),
    decode: decodeImage,
  });
}

function annotateLine(words: string[], line: number, boxKind: 'landmarks' | 'rectangle'): Annotation<2> {
  const count = 196 + 4 + 6;
  if (words.length < count + 1) {
    throw new Error(
      `expected 98 points, a rectangle, six flags and a path (${count + 1} words), got ${words.length}`,
    );
  }
  const landmarks = createLandmarks(words.slice(0, 196).map(Number), 2);
  const file = words.slice(count).join(' ');
  checkShape(landmarks, WFLW_98, file);
  const [left, top, right, bottom] = words.slice(196, 200).map(Number);
  const rectangle = { x: left, y: top, width: right - left, height: bottom - top };
  return {
    id: `${file.replace(/\.\w+$/, '')}#${line}`,
    landmarks,
    scheme: WFLW_98,
    box: boxKind === 'rectangle' ? rectangle : boxOf(landmarks),
    attributes: Object.fromEntries(WFLW_ATTRIBUTES.map((name, i) => [name, words[200 + i] === '1'])),
    provenance: { dataset: 'wflw', files: [file], conversions: [`box: ${boxKind}`] },
  };
}
