/** One line of a run's JSONL log. */
export interface TrainingRecord {
  /** `step` and `evaluation` are drawn, others are left out. */
  readonly type: string;
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
      if (record !== null && typeof record.step === 'number' && typeof record.type === 'string') {
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

/** A number of a record: the field of the record that holds it ('' for the record itself), and its name in there. */
export interface NumericField {
  readonly group: string;
  readonly name: string;
  readonly value: number;
}

/** The finite numbers of a record, one level deep; in a list, entries are told apart by their `dataset`. */
export function numericFields(record: TrainingRecord): NumericField[] {
  return Object.entries(record).flatMap(([group, content]): NumericField[] => {
    if (typeof content === 'number') return collect('', { [group]: content });
    if (!Array.isArray(content)) return collect(group, content);
    return content.flatMap((entry) => collect(group, entry, entry?.dataset && `, ${entry.dataset}`));
  });
}

function collect(group: string, content: unknown, suffix = ''): NumericField[] {
  if (content === null || typeof content !== 'object') return [];
  return Object.entries(content).flatMap(([name, value]) =>
    Number.isFinite(value) ? [{ group, name: `${name}${suffix}`, value: value as number }] : [],
  );
}
