import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { boxOf, createLandmarks, WFLW_98, withDefaults } from '@voxface/landmarks';
import type { ProblemHandler } from '../record-dataset.ts';
import {
  checkBox,
  checkInnerPath,
  checkShape,
  collectProblems,
  createRecordDataset,
} from '../record-dataset.ts';
import type { Annotation, Dataset } from '../sample.ts';
import { decodeImage } from './read-image.ts';

export interface WflwOptions {
  /** `landmarks`: tight box of the 98 points; `rectangle`: the box of the list. @default 'landmarks' */
  box?: 'landmarks' | 'rectangle';
  /** Called for each broken line, which is left out. @default the first one throws */
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
  const { box } = withDefaults(WFLW_DEFAULTS, options);
  const { problems, report } = collectProblems(options.onProblem);
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
      report({ id: `line ${i + 1}`, error: problem });
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
    problems,
  });
}

function annotateLine(words: string[], line: number, boxKind: 'landmarks' | 'rectangle'): Annotation<2> {
  const full = 196 + 4 + 6;
  // `list_98pt_test.txt` holds points and path alone.
  const isShort = words.length >= 197 && words.length <= full && !Number.isFinite(Number(words[196]));
  if (words.length < full + 1 && !isShort) {
    throw new Error(
      `expected 98 points, a rectangle, six flags and a path (${full + 1} words), or points and path, got ${words.length}`,
    );
  }
  if (isShort && boxKind === 'rectangle') throw new Error('expected a rectangle, got points and path alone');
  const landmarks = createLandmarks(words.slice(0, 196).map(Number), 2);
  const file = words.slice(isShort ? 196 : full).join(' ');
  checkInnerPath('openWflw', file, `line ${line}`);
  checkShape(landmarks, WFLW_98, file);
  const [left, top, right, bottom] = words.slice(196, 200).map(Number);
  const rectangle = { x: left, y: top, width: right - left, height: bottom - top };
  const flags = WFLW_ATTRIBUTES.map((name, i) => [name, words[200 + i] === '1'] as const);
  return {
    id: `${file.replace(/\.\w+$/, '')}#${line}`,
    landmarks,
    scheme: WFLW_98,
    box: boxKind === 'rectangle' ? checkBox(rectangle, file) : boxOf(landmarks),
    ...(!isShort && { attributes: Object.fromEntries(flags) }),
    provenance: { dataset: 'wflw', files: [file], conversions: [`box: ${boxKind}`] },
  };
}
