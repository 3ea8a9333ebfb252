import { IBUG_68, type LandmarkScheme, withDefaults } from '@voxface/landmarks';
import {
  checkShape,
  collectProblems,
  maskMissing,
  maskOccluded,
  type OccludedRule,
  type Problem,
  type ProblemHandler,
  uniqueIds,
} from './record-dataset.ts';
import type { Annotation } from './sample.ts';

export interface KeypointCsvOptions {
  /** @default 'keypoint-csv' */
  name?: string;
  /** @default IBUG_68 */
  scheme?: LandmarkScheme;
  /** Coordinate of the top-left pixel's centre in the file. @default 0 */
  origin?: number;
  /** Only the rows whose column `split` says so. */
  split?: string;
  /** What becomes of points that are annotated although something hides them. @default 'count' */
  occluded?: OccludedRule;
  /** Called for each broken row, which is left out. @default the first one throws */
  onProblem?: ProblemHandler;
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
): { records: { annotation: Annotation<2>; image: T }[]; problems: readonly Problem[] } {
  const { problems, report } = collectProblems(options.onProblem);
  const settings = withDefaults(KEYPOINT_CSV_DEFAULTS, options);
  const rows = parseKeypointCsv(text, settings.scheme.count, options.onProblem && report);
  const kept = options.split === undefined ? rows : rowsOfSplit(rows, options.split, where);
  const ids = uniqueIds(kept.map(({ file }) => file.replace(/\.[^./]*$/, '')));
  const records = kept.flatMap((row, i) => {
    try {
      const image = find(row.file);
      if (image === undefined) {
        throw new Error(
          `openKeypointCsv: line ${row.line} of ${where} names ${row.file}, which is not among the pictures`,
        );
      }
      return [{ annotation: annotateRow(ids[i], row, settings, where), image }];
    } catch (error) {
      report({ id: ids[i], error: error as Error });
      return [];
    }
  });
  return { records, problems };
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

/** One row of a keypoint CSV, numbers as they are in the file. */
export interface KeypointRow {
  readonly file: string;
  /** [n, 2] interleaved; 0, 0 where the file has no point. */
  readonly points: Float32Array;
  /** [n] 0 where the file has no point; absent when it has all of them. */
  readonly visible?: Uint8Array;
  /** [n] 1 where the point is annotated although something hides it; absent without visibility columns or when none is. */
  readonly occluded?: Uint8Array;
  /** The other columns of a file with a header, by name. */
  readonly fields: Readonly<Record<string, string>>;
  /** Line of the file, 1-based. */
  readonly line: number;
}

/** A point's visibility in columns `v0`, `v1`, ...: MERL-RAV's code and our own; 0 is visible. */
const OCCLUDED = 1;
const MISSING = 2;

/** Where a row's values stand. */
interface Columns {
  readonly file: number;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly visibility?: readonly number[];
  readonly fields: readonly (readonly [name: string, column: number])[];
  readonly width: number;
}

/**
 * Reads a keypoint CSV: one row per face. Without a header, or with one that only numbers the columns: the file name
 * first, then x, y pairs. With a header that names them: `image` (or `image_name`, `file`, `filename`), points as
 * `x0`, `y0`, ... or `original_0_x`, `original_0_y`, ..., visibility as `v0`, ... (0 visible, 1 annotated although
 * occluded, 2 not annotated); columns may stand in any order and others are kept as `fields`. Values are
 * separated by commas, semicolons or tabs and may be quoted. A point is missing when
 * both of its cells are empty, when it is -1, -1, or when its visibility is 2.
 * @param count landmarks per row.
 * @param onProblem told about rows that break a rule; absent: the first one throws.
 * @throws Error naming line and picture: a wrong number of cells, half a point, a value that is no number, no point at all.
 * @example
 * ```js
 * import { parseKeypointCsv } from '@voxface/datasets';
 *
 * const rows = parseKeypointCsv('image,x0,y0,x1,y1\na.jpg,1,2,3,4\n', 2);
 * console.log(rows.length); // => 1
 * ```
 */
export function parseKeypointCsv(text: string, count: number, onProblem?: ProblemHandler): KeypointRow[] {
  const rows: KeypointRow[] = [];
  let columns = plainColumns(count);
  let delimiter = ',';
  text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .forEach((raw, i) => {
      if (i === 0) delimiter = delimiterOf(raw);
      const cells = splitCells(raw, delimiter);
      if (cells.length === 1 && cells[0] === '') return;
      if (i === 0 && isHeader(cells)) {
        columns = namedColumns(cells, count) ?? columns;
        return;
      }
      try {
        rows.push(parseRow(cells, columns, i + 1));
      } catch (error) {
        if (!onProblem) throw error;
        onProblem({ id: cells[columns.file] || `line ${i + 1}`, error: error as Error });
      }
    });
  return rows;
}

/** What most of a line's values are separated by: comma, semicolon or tab. */
function delimiterOf(line: string): string {
  const count = (mark: string): number => line.split(mark).length;
  return [',', ';', '\t'].reduce((best, mark) => (count(mark) > count(best) ? mark : best));
}

/** Cells of a line, quoted ones as RFC 4180 has them. */
function splitCells(line: string, delimiter: string): string[] {
  if (!line.includes('"')) return line.split(delimiter).map((cell) => cell.trim());
  const cells: string[] = [];
  let [cell, quoted] = ['', false];
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '"' && quoted && line[i + 1] === '"') cell += line[++i];
    else if (line[i] === '"') quoted = !quoted;
    else if (line[i] === delimiter && !quoted) {
      cells.push(cell.trim());
      cell = '';
    } else cell += line[i];
  }
  return [...cells, cell.trim()];
}

function isHeader(cells: readonly string[]): boolean {
  return cells[0] === '' || cells.every((cell) => !/\.\w+$/.test(cell));
}

function plainColumns(count: number): Columns {
  const x = Array.from({ length: count }, (_, i) => 1 + 2 * i);
  return { file: 0, x, y: x.map((column) => column + 1), fields: [], width: 1 + 2 * count };
}

/** The columns by name; undefined where the header names no points. */
function namedColumns(header: readonly string[], count: number): Columns | undefined {
  const at = new Map(header.map((name, column) => [name.toLowerCase(), column]));
  const named = (rule: (i: number) => string): number[] =>
    Array.from({ length: count }, (_, i) => at.get(rule(i)) ?? -1);
  const found = (
    [
      [(i) => `x${i}`, (i) => `y${i}`],
      [(i) => `original_${i}_x`, (i) => `original_${i}_y`],
    ] as [(i: number) => string, (i: number) => string][]
  ).find(([x]) => at.has(x(0)));
  if (!found) return undefined;
  const [x, y] = [named(found[0]), named(found[1])];
  const missing = x.findIndex((column, i) => column < 0 || y[i] < 0);
  if (missing >= 0 || at.has(found[0](count))) {
    throw new Error(
      `parseKeypointCsv: expected the columns of ${count} points, got ${missing >= 0 ? `no ${found[0](missing)}, ${found[1](missing)}` : `${found[0](count)} as well`} (choose the scheme of this file)`,
    );
  }
  const file = ['image', 'image_name', 'file', 'filename', 'name'].map((name) => at.get(name));
  const visibility = named((i) => `v${i}`);
  const taken = new Set([...x, ...y, ...visibility]);
  const fileColumn = file.find((column) => column !== undefined) ?? 0;
  return {
    file: fileColumn,
    x,
    y,
    ...(visibility.every((column) => column >= 0) && { visibility }),
    fields: header.flatMap((name, column) =>
      taken.has(column) || column === fileColumn ? [] : [[name, column] as const],
    ),
    width: header.length,
  };
}

function parseRow(cells: readonly string[], columns: Columns, line: number): KeypointRow {
  const file = cells[columns.file];
  const fail = (rule: string, got: string): never => {
    throw new Error(`parseKeypointCsv: ${rule}, got ${got} at line ${line} (${file})`);
  };
  if (cells.length !== columns.width) fail(`expected ${columns.width} cells`, String(cells.length));
  if (!file) fail('expected a file name', 'an empty cell');
  const count = columns.x.length;
  const points = new Float32Array(count * 2);
  const visible = new Uint8Array(count).fill(1);
  const occluded = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const [x, y] = [cells[columns.x[i]], cells[columns.y[i]]];
    const code = columns.visibility ? cells[columns.visibility[i]] : '0';
    if (!/^[012]$/.test(code)) fail(`expected visibility 0, 1 or 2 of landmark ${i}`, `"${code}"`);
    if (Number(code) === MISSING || (x === '' && y === '') || (Number(x) === -1 && Number(y) === -1)) {
      visible[i] = 0;
      continue;
    }
    if (Number(code) === OCCLUDED) occluded[i] = 1;
    points[2 * i] = numberOf(x);
    points[2 * i + 1] = numberOf(y);
    if (!(Number.isFinite(points[2 * i]) && Number.isFinite(points[2 * i + 1]))) {
      fail(`expected finite numbers of landmark ${i}`, `"${x}", "${y}"`);
    }
  }
  if (!visible.includes(1)) fail('expected at least one annotated point', 'none');
  return {
    file,
    points,
    ...(visible.includes(0) && { visible }),
    ...(occluded.includes(1) && { occluded }),
    fields: Object.fromEntries(columns.fields.map(([name, column]) => [name, cells[column]])),
    line,
  };
}

function numberOf(cell: string): number {
  return cell === '' ? Number.NaN : Number(cell);
}
