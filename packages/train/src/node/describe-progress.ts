import type { ValidationResult } from '../evaluate.ts';
import type { StepRecord } from '../trainer.ts';

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
