import { createLandmarks, type Landmarks } from '@voxface/landmarks';

/**
 * Reads a `.pts` file: `version: 1`, `n_points: N`, then N rows `x y` or `x y z` in braces. The closing brace may
 * stand on the last row. Numbers come out as they are in the file (300W: 1-based).
 * @throws Error naming what is wrong: no header, a count that does not match, numbers that are none.
 * @example
 * ```js
 * import { parsePts } from '@voxface/datasets';
 *
 * const { points } = parsePts('version: 1\nn_points: 2\n{\n10.5 20\n30 40\n}');
 * console.log(...points); // => 10.5 20 30 40
 * ```
 */
export function parsePts(text: string): Landmarks {
  const header = /n_points\s*:\s*(\d+)/i.exec(text);
  const open = text.indexOf('{');
  if (!header || open < 0) {
    throw new Error(
      'parsePts: expected "n_points: N" and a "{", got neither or one of them (is this a .pts file?)',
    );
  }
  const close = text.indexOf('}', open);
  const body = text.slice(open + 1, close < 0 ? undefined : close);
  const rows = body
    .split('\n')
    .map((row) => row.trim().split(/[\s,]+/))
    .filter((row) => row[0] !== '');
  const count = Number(header[1]);
  if (rows.length !== count) {
    throw new Error(
      `parsePts: n_points says ${count}, got ${rows.length} rows${close < 0 ? ' and no closing brace (truncated?)' : ''}`,
    );
  }
  const dims = rows[0]?.length;
  if (dims !== 2 && dims !== 3) throw new Error(`parsePts: expected 2 or 3 numbers per row, got ${dims}`);
  const odd = rows.findIndex(
    (row) => row.length !== dims || row.some((word) => !Number.isFinite(Number(word))),
  );
  if (odd >= 0) {
    throw new Error(
      `parsePts: expected ${dims} finite numbers per row, got "${rows[odd].join(' ')}" at landmark ${odd}`,
    );
  }
  return createLandmarks(rows.flat().map(Number), dims);
}

/**
 * Writes landmarks [n, 2 or 3] as `.pts`, numbers as they are (300W readers expect 1-based).
 * @param frame `upright`: says in a header line that the points refer to the picture turned by its orientation tag.
 * @example
 * ```js
 * import { formatPts, parsePts } from '@voxface/datasets';
 * import { MEAN_FACE_68 } from '@voxface/landmarks';
 *
 * console.log(parsePts(formatPts(MEAN_FACE_68)).points.length); // => 204
 * ```
 */
export function formatPts(shape: Landmarks, digits = 4, frame?: 'upright'): string {
  const { points, dims } = shape;
  const rows = Array.from({ length: points.length / dims }, (_, i) =>
    Array.from(points.subarray(i * dims, (i + 1) * dims), (value) => value.toFixed(digits)).join(' '),
  );
  const line = frame ? `frame: ${frame}\n` : '';
  return `version: 1\nn_points: ${rows.length}\n${line}{\n${rows.join('\n')}\n}\n`;
}
