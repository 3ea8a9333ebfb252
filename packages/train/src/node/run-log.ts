import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { TrainingConfig } from '../config.ts';
import type { HeldOutLosses, ValidationResult } from '../evaluate.ts';
import { encodeScalarEvent, encodeVersionEvent } from '../tensorboard.ts';
import type { StepRecord } from '../trainer.ts';
import { writeAtomically } from './checkpoint-folder.ts';

/** One line of `log.jsonl` about an evaluation. */
export interface EvaluationRecord extends Partial<HeldOutLosses> {
  readonly type: 'evaluation';
  readonly step: number;
  readonly results: readonly ValidationResult[];
}

/** What a run writes down: `log.jsonl`, and event files of TensorBoard when asked for. */
export interface RunLog {
  addStep(record: StepRecord): void;
  addEvaluation(step: number, results: readonly ValidationResult[], heldOut?: HeldOutLosses): void;
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
    addEvaluation(at, results, heldOut) {
      const record: EvaluationRecord = { type: 'evaluation', step: at, results, ...heldOut };
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

/** An event file of TensorBoard that grows with a run. */
export interface EventFile {
  addStep(record: StepRecord): void;
  addEvaluation(step: number, results: readonly ValidationResult[]): void;
  /** Writes what was added. */
  flush(): Promise<void>;
}

/** Opens a new event file in a folder; a resumed run adds another file, as TensorBoard expects. */
export async function createEventFile(folder: string): Promise<EventFile> {
  await mkdir(folder, { recursive: true });
  const now = (): number => Date.now() / 1000;
  const file = join(folder, `events.out.tfevents.${Math.floor(now())}.${hostname()}.v2`);
  const records = [encodeVersionEvent(now())];
  return {
    addStep({ step, losses, explained, learningRate, mu, gap, norms }) {
      const scalars: Record<string, number> = { 'schedule/learning_rate': learningRate };
      for (const [name, value] of Object.entries(losses)) scalars[`loss/${name}`] = value;
      for (const [name, value] of Object.entries(explained)) scalars[`explained/${name}`] = value;
      for (const [name, value] of Object.entries(norms)) scalars[`gradient_norm/${name}`] = value;
      if (mu !== undefined) scalars['balance/mu'] = mu;
      if (gap !== undefined) scalars['balance/gap'] = gap;
      records.push(encodeScalarEvent(now(), step, scalars));
    },
    addEvaluation(step, results) {
      const scalars: Record<string, number> = {};
      for (const { dataset, nme, nmeInner, nme3d } of results) {
        for (const [name, value] of Object.entries({ nme, nmeInner, nme3d })) {
          if (value !== undefined) scalars[`validation/${dataset}/${name}`] = value;
        }
      }
      records.push(encodeScalarEvent(now(), step, scalars));
    },
    async flush() {
      for (const record of records.splice(0)) await appendFile(file, record);
    },
  };
}

/** Rate and time left, from the steps since the last pause (evaluations and checkpoints are pauses). */
export interface ProgressMeter {
  count(): void;
  restart(): void;
  /** One line of progress. */
  describe(record: StepRecord, totalSteps: number): string;
}

export function createProgressMeter(batchSize: number): ProgressMeter {
  let steps = 0;
  let since = performance.now();
  return {
    count() {
      steps++;
    },
    restart() {
      steps = 0;
      since = performance.now();
    },
    describe(record, totalSteps) {
      const seconds = (performance.now() - since) / 1000;
      const rate = (steps * batchSize) / seconds;
      const left = ((totalSteps - record.step) * seconds) / Math.max(1, steps);
      const losses = Object.entries(record.losses)
        .filter(([name]) => !name.includes('_'))
        .map(([name, value]) => `${name} ${value.toPrecision(3)}`);
      const explained = Object.entries(record.explained).map(
        ([name, v]) => `${name} ${(100 * v).toFixed(0)}%`,
      );
      const mu = record.mu === undefined ? [] : [`mu ${record.mu.toFixed(3)}`];
      return [
        `${record.kind} ${record.step}/${totalSteps}`,
        ...losses,
        `explained ${explained.join(' ')}`,
        ...mu,
        `lr ${record.learningRate.toExponential(1)}`,
        `${rate.toFixed(1)}/s left ${formatTime(left)}`,
      ].join(' ');
    },
  };
}

/** One line on an evaluation, errors in percent. */
export function describeValidation({ dataset, count, nme, nmeInner, nme3d }: ValidationResult): string {
  const percent = (value: number): string => `${(100 * value).toFixed(2)} %`;
  const inner = nmeInner === undefined ? '' : `, inner 51 ${percent(nmeInner)}`;
  const space = nme3d === undefined ? '' : `, 3D ${percent(nme3d)}`;
  return `${dataset} (${count}): NME ${percent(nme)}${inner}${space}`;
}

function formatTime(seconds: number): string {
  const minutes = Math.round(seconds / 60);
  return minutes >= 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes} min`;
}

/** Fields that change how a run is carried out, not what it learns. */
const OF_NO_CONSEQUENCE = new Set([
  'name',
  'note',
  'output',
  'backend',
  'workers',
  'decoders',
  'pictureCache',
  'logEvery',
  'evaluateEvery',
  'checkpointEvery',
  'keepCheckpoints',
  'tensorboard',
]);

/** Says which fields of the configuration differ from those that the checkpoint was made with. */
export function sayChanges(before: unknown, config: TrainingConfig, log: (line: string) => void): void {
  const [old, own] = [before, JSON.parse(JSON.stringify(config))] as Record<string, unknown>[];
  for (const field of new Set([...Object.keys(old ?? {}), ...Object.keys(own)])) {
    const [was, is] = [JSON.stringify(old?.[field]), JSON.stringify(own[field])];
    if (OF_NO_CONSEQUENCE.has(field) || was === is) continue;
    log(`the configuration has changed since the checkpoint: ${field} was ${was}, is ${is}`);
  }
}
