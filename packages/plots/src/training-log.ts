/** One line of a run's JSONL log. */
export interface TrainingRecord {
  /** `step` and `evaluation` are drawn, other kinds are left out. */
  readonly kind: string;
  readonly step: number;
  readonly [field: string]: unknown;
}

/**
 * Reads a JSONL training log. A last line that was cut off by a crash is dropped; a broken line before it is an error.
 * @throws SyntaxError naming the line.
 */
export function parseTrainingLog(text: string): TrainingRecord[] {
  const lines = text.split('\n');
  const records: TrainingRecord[] = [];
  lines.forEach((line, i) => {
    if (line.trim() === '') return;
    try {
      const record = JSON.parse(line) as TrainingRecord;
      if (record !== null && typeof record.step === 'number' && typeof record.kind === 'string') {
        records.push(record);
      }
    } catch {
      if (i === lines.length - 1) return;
      throw new SyntaxError(
        `parseTrainingLog: expected one JSON object per line, got ${JSON.stringify(line.slice(0, 60))} at line ${i + 1}`,
      );
    }
  });
  return records;
}

/** Numeric fields of a record by name; nested objects give `outer.inner`. */
export function numericFields(record: Record<string, unknown>, prefix = ''): [name: string, value: number][] {
  return Object.entries(record).flatMap(([key, value]): [string, number][] => {
    const name = prefix === '' ? key : `${prefix}.${key}`;
    if (typeof value === 'number') return Number.isFinite(value) ? [[name, value]] : [];
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? numericFields(value as Record<string, unknown>, name)
      : [];
  });
}
