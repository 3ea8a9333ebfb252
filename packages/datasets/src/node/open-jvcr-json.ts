import { readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  boxOf,
  centerDepth,
  createLandmarks,
  IBUG_68,
  type LandmarkScheme,
  withDefaults,
} from '@voxface/landmarks';
import type { ProblemHandler } from '../record-dataset.ts';
import {
  checkInnerPath,
  checkShape,
  collectProblems,
  createRecordDataset,
  uniqueIds,
} from '../record-dataset.ts';
import type { Annotation, Dataset } from '../sample.ts';
import { decodeImage } from './read-image.ts';

export interface JvcrJsonOptions {
  /** @default 'jvcr' */
  name?: string;
  /** @default IBUG_68 */
  scheme?: LandmarkScheme;
  /** `training`: entries with `isValidation` 0 or absent; `validation`: 1; `all`. @default 'all' */
  subset?: 'all' | 'training' | 'validation';
  /**
   * Coordinate of the top-left pixel's centre in the file: 1, as in the `.mat` files that JVCR copied from.
   * @default 1
   */
  origin?: number;
  /** Called for each broken entry, which is left out. @default the first one throws */
  onProblem?: ProblemHandler;
}

export const JVCR_JSON_DEFAULTS: Required<Omit<JvcrJsonOptions, 'onProblem'>> = {
  name: 'jvcr',
  scheme: IBUG_68,
  subset: 'all',
  origin: 1,
};

interface JvcrEntry {
  img_paths?: string;
  landmarks?: number[][] | number[];
  isValidation?: number;
}

/**
 * Opens the JSON of JVCR-3Dlandmark: a list of `img_paths` and `landmarks` (68 x 3, signs of the `.mat` files: +z
 * toward the camera), which gives 300W-LP and AFLW2000-3D their depth without a face model. `objpos` and
 * `scale_provided` are not used: the crop follows the landmark box. Several
 * faces of one picture are `a`, `a#2`, ...
 * @throws Error naming the entry that breaks a rule.
 */
export async function openJvcrJson(
  jsonFile: string,
  imageRoot: string,
  options: JvcrJsonOptions = {},
): Promise<Dataset<3>> {
  const { name, scheme, subset, origin } = withDefaults(JVCR_JSON_DEFAULTS, options);
  let entries: JvcrEntry[];
  try {
    entries = JSON.parse(await readFile(jsonFile, 'utf8')) as JvcrEntry[];
    if (!Array.isArray(entries)) throw new Error('no list');
  } catch (error) {
    throw new Error(`openJvcrJson: expected a JSON list, got ${(error as Error).message} in ${jsonFile}`, {
      cause: error,
    });
  }
  const { problems, report } = collectProblems(options.onProblem);
  const annotations: Annotation<3>[] = [];
  entries.forEach((entry, i) => {
    const wanted = subset === 'all' || (subset === 'validation') === (Number(entry?.isValidation ?? 0) === 1);
    if (!wanted) return;
    try {
      annotations.push(annotateEntry(entry, scheme, origin, name));
    } catch (error) {
      const problem = new Error(`openJvcrJson: entry ${i} of ${jsonFile}: ${(error as Error).message}`, {
        cause: error,
      });
      report({ id: typeof entry?.img_paths === 'string' ? entry.img_paths : `entry ${i}`, error: problem });
    }
  });
  const ids = uniqueIds(annotations.map(({ id }) => id));
  return createRecordDataset({
    name,
    scheme,
    dims: 3,
    ids,
    annotate: (index) => ({ ...annotations[index], id: ids[index] }),
    readImage: (index) => readFile(path.join(imageRoot, annotations[index].provenance.files[0])),
    decode: decodeImage,
    problems,
  });
}

function annotateEntry(
  entry: JvcrEntry,
  scheme: LandmarkScheme,
  origin: number,
  name: string,
): Annotation<3> {
  const file = entry?.img_paths;
  if (typeof file !== 'string') throw new Error(`expected img_paths, got ${typeof file}`);
  checkInnerPath('openJvcrJson', file, 'its img_paths');
  const rows = entry.landmarks;
  if (!Array.isArray(rows)) throw new Error(`expected landmarks, got ${typeof rows} for ${file}`);
  const numbers = rows.flat();
  if (numbers.length !== scheme.count * 3) {
    throw new Error(`expected ${scheme.count} x 3 landmarks, got ${numbers.length} numbers for ${file}`);
  }
  const odd = numbers.findIndex((value) => typeof value !== 'number');
  if (odd >= 0) {
    throw new Error(
      `expected numbers, got ${JSON.stringify(numbers[odd])} at landmark ${Math.floor(odd / 3)} of ${file}`,
    );
  }
  const points = numbers.map((value, k) => (k % 3 === 2 ? -value : value - origin));
  const landmarks = centerDepth(createLandmarks(points, 3));
  checkShape(landmarks, scheme, file);
  return {
    id: file.replace(/\.\w+$/, ''),
    landmarks,
    scheme,
    box: boxOf(landmarks),
    provenance: {
      dataset: name,
      files: [file],
      conversions: [`x - ${origin}, y - ${origin}`, 'z: sign turned, zero mean'],
    },
  };
}
