import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ValidationResult } from '../evaluate.ts';
import type { StepRecord } from '../trainer.ts';
import { writeAtomically } from './checkpoint-folder.ts';
import { createEventFile, type EventFile } from './event-file.ts';

/** One line of `log.jsonl` about an evaluation. */
export interface EvaluationRecord {
  readonly type: 'evaluation';
  readonly step: number;
  readonly results: readonly ValidationResult[];
}

/** What a run writes down: `log.jsonl`, and event files of TensorBoard when asked for. */
export interface RunLog {
  addStep(record: StepRecord): void;
  addEvaluation(step: number, results: readonly ValidationResult[]): void;
  /** Writes what was added since the last time. */
  flush(): Promise<void>;
}

/**
 * Opens the log of a run that stands at `step`: lines of later steps, which will be done again, are dropped.
 */
export async function openRunLog(folder: string, step: number, tensorboard: boolean): Promise<RunLog> {
  const file = join(folder, 'log.jsonl');
  await trimLog(file, step);
  const events: EventFile | undefined = tensorboard
    ? await createEventFile(join(folder, 'tensorboard'))
    : undefined;
  const lines: string[] = [];
  return {
    addStep(record) {
      lines.push(`${JSON.stringify(record)}\n`);
      events?.addStep(record);
    },
    addEvaluation(at, results) {
      const record: EvaluationRecord = { type: 'evaluation', step: at, results };
      lines.push(`${JSON.stringify(record)}\n`);
      events?.addEvaluation(at, results);
    },
    async flush() {
      if (lines.length > 0) await appendFile(file, lines.splice(0).join(''));
      await events?.flush();
    },
  };
}

/** Drops the lines of steps after `step`, and a last line cut short. */
async function trimLog(file: string, step: number): Promise<void> {
  const text = step > 0 ? await readFile(file, 'utf8').catch(() => '') : '';
  const kept = text.split('\n').filter((line) => {
    try {
      return (JSON.parse(line) as { step: number }).step <= step;
    } catch {
      return false;
    }
  });
  await writeAtomically(file, kept.map((line) => `${line}\n`).join(''));
}
