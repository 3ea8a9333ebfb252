import { writeFile } from 'node:fs/promises';
import { inspectDataset } from '@voxface/datasets/node';
import { openData } from './open-data.ts';
import { createProgress } from './progress.ts';

/** Prints what a dataset holds; returns the number of broken samples. */
export async function inspectData(
  path: string,
  flags: { kind?: string; split?: string; sheet?: string; json?: string },
): Promise<number> {
  const { onProgress, finish } = lazyProgress();
  const unopened: { id: string; problem: string }[] = [];
  const dataset = await openData(path, flags.kind, '--kind', {
    ...(flags.split !== undefined && { split: flags.split }),
    onProblem: ({ id, error }) => unopened.push({ id, problem: error.message }),
  });
  const { contactSheet, ...found } = await inspectDataset(dataset, {
    sheetFaces: flags.sheet ? undefined : 0,
    onProgress,
  });
  finish();
  const report = { ...found, broken: [...unopened, ...found.broken] };
  for (const [key, value] of Object.entries(report)) {
    if (key !== 'broken')
      console.log(`${key.padEnd(12)} ${typeof value === 'object' ? JSON.stringify(value) : value}`);
  }
  for (const { id, problem } of report.broken) console.error(`voxface: ${id}: ${problem}`);
  if (flags.json) await writeFile(flags.json, `${JSON.stringify(report, null, 1)}\n`);
  if (flags.sheet && contactSheet) await writeFile(flags.sheet, contactSheet);
  return report.broken.length;
}

/** A progress line that starts when the total is known. */
export function lazyProgress(): { onProgress: (done: number, total: number) => void; finish: () => void } {
  let progress: ReturnType<typeof createProgress> | undefined;
  return {
    onProgress: (done, total) => {
      progress ??= createProgress('samples', total);
      progress.update(done);
    },
    finish: () => progress?.finish(),
  };
}
