/** One row of a keypoint CSV, numbers as they are in the file. */
export interface KeypointRow {
  readonly file: string;
  /** [n, 2] interleaved. */
  readonly points: Float32Array;
  /** Line of the file, 1-based. */
  readonly line: number;
}

/**
 * Reads a keypoint CSV: one row per picture, file name first, then x, y pairs. A first row whose first cell is
 * empty or whose second is no number with all others counting up is a header and is skipped.
 * @param count landmarks per row.
 * @param onProblem told about rows that break a rule; absent: the first one throws.
 */
export function parseKeypointCsv(
  text: string,
  count: number,
  onProblem?: (problem: { id: string; error: Error }) => void,
): KeypointRow[] {
  const rows: KeypointRow[] = [];
  text.split('\n').forEach((raw, i) => {
    const cells = raw.trim().split(',');
    if (cells.length === 1 && cells[0] === '') return;
    if (i === 0 && (cells[0] === '' || !/\.\w+$/.test(cells[0]))) return;
    try {
      rows.push(parseRow(cells, count, i + 1));
    } catch (error) {
      if (!onProblem) throw error;
      onProblem({ id: cells[0] || `line ${i + 1}`, error: error as Error });
    }
  });
  return rows;
}

function parseRow(cells: string[], count: number, line: number): KeypointRow {
  const [file, ...words] = cells;
  if (words.length !== count * 2) {
    throw new Error(
      `parseKeypointCsv: expected ${count} x, y pairs (${count * 2} numbers), got ${words.length} at line ${line} (${file})`,
    );
  }
  const points = Float32Array.from(words, (word) => (word.trim() === '' ? NaN : Number(word)));
  const odd = points.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0) {
    throw new Error(
      `parseKeypointCsv: expected finite numbers, got "${words[odd]}" at landmark ${odd >> 1}, line ${line} (${file})`,
    );
  }
  return { file, points, line };
}
