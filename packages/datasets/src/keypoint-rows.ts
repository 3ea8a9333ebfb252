import { IBUG_68, type LandmarkScheme } from '@voxface/landmarks';
import { type KeypointRow, parseKeypointCsv } from './parse-keypoint-csv.ts';
import { checkShape, maskMissing, maskOccluded, type OccludedRule, uniqueIds } from './record-dataset.ts';
import type { Annotation } from './sample.ts';

export interface KeypointCsvOptions {
  name?: string;
  scheme?: LandmarkScheme;
  /** Coordinate of the top-left pixel's centre in the file. */
  origin?: number;
  /** Only the rows whose column `split` says so. */
  split?: string;
  /** What becomes of points that are annotated although something hides them. */
  occluded?: OccludedRule;
  /** Told about rows that are left out as broken; absent: the first one throws. */
  onProblem?: (problem: { id: string; error: Error }) => void;
}

export const KEYPOINT_CSV_DEFAULTS: Required<Omit<KeypointCsvOptions, 'onProblem' | 'split'>> = {
  name: 'keypoint-csv',
  scheme: IBUG_68,
  origin: 0,
  occluded: 'count',
};

/**
 * The annotations of a keypoint CSV's text; see `openKeypointCsv`.
 * @param find the picture that a row names; undefined: there is none.
 * @param where what to call the file in errors.
 */
export function annotateKeypointCsv<T>(
  text: string,
  find: (file: string) => T | undefined,
  where: string,
  options: KeypointCsvOptions = {},
): { annotation: Annotation<2>; image: T }[] {
  const settings = { ...KEYPOINT_CSV_DEFAULTS, ...options };
  const rows = parseKeypointCsv(text, settings.scheme.count, options.onProblem);
  const kept = options.split === undefined ? rows : rowsOfSplit(rows, options.split, where);
  const ids = uniqueIds(kept.map(({ file }) => file.replace(/\.[^./]*$/, '')));
  return kept.flatMap((row, i) => {
    try {
      const image = find(row.file);
      if (image === undefined) {
        throw new Error(
          `openKeypointCsv: line ${row.line} of ${where} names ${row.file}, which is not among the pictures`,
        );
      }
      return [{ annotation: annotateRow(ids[i], row, settings, where), image }];
    } catch (error) {
      if (!options.onProblem) throw error;
      options.onProblem({ id: ids[i], error: error as Error });
      return [];
    }
  });
}

function rowsOfSplit(rows: readonly KeypointRow[], split: string, where: string): KeypointRow[] {
  const kept = rows.filter(({ fields }) => fields.split === split);
  if (kept.length === 0) {
    const names = [...new Set(rows.map(({ fields }) => fields.split))].filter((name) => name !== undefined);
    throw new Error(
      `openKeypointCsv: expected rows of split "${split}", got ${names.length > 0 ? `the splits ${names.slice(0, 5).join(', ')}` : 'no column split'} in ${where}`,
    );
  }
  return kept;
}

function annotateRow(
  id: string,
  { file, points, visible: present, occluded, fields, line }: KeypointRow,
  { name, scheme, origin, occluded: rule }: Required<Omit<KeypointCsvOptions, 'onProblem' | 'split'>>,
  where: string,
): Annotation<2> {
  const { landmarks, box } = maskMissing(points, origin, present);
  checkShape(landmarks, scheme, `line ${line} of ${where}`);
  const visible = maskOccluded(present, occluded, rule);
  const { yaw, ...attributes } = fields;
  const turned = yaw ? Number(yaw) : Number.NaN;
  return {
    id,
    landmarks,
    scheme,
    box,
    ...(visible && { visible }),
    ...(occluded && { occluded }),
    ...(Number.isFinite(turned) && { yaw: -turned }),
    ...(Object.keys(attributes).length > 0 && { attributes }),
    provenance: {
      dataset: name,
      files: [file],
      conversions: [
        ...(origin === 0 ? [] : [`${origin}-based to 0-based: x - ${origin}, y - ${origin}`]),
        ...(Number.isFinite(turned) ? ['yaw: sign turned'] : []),
      ],
    },
  };
}
