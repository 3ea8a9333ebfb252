import { appendFile, mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { ValidationResult } from '../evaluate.ts';
import { encodeScalarEvent, encodeVersionEvent } from '../tensorboard.ts';
import type { StepRecord } from '../trainer.ts';

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
