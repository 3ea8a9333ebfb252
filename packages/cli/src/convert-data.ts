import { convertDataset, type DatasetKind } from '@voxface/datasets/node';
import { UsageError } from './errors.ts';
import { lazyProgress } from './inspect-data.ts';

/** Converts a dataset to the packed form; returns the number of samples left out as broken. */
export async function convertData(path: string, out: string, flags: Record<string, string>): Promise<number> {
  const { onProgress, finish } = lazyProgress();
  const report = await convertDataset(path, out, {
    kind: flags.kind as DatasetKind | undefined,
    resume: flags.resume !== undefined,
    onProgress,
    ...(flags.size
      ? { face: { scale: positive('--scale', flags.scale), size: positive('--size', flags.size) } }
      : {}),
  });
  finish();
  for (const { id, problem } of report.broken) console.error(`voxface: ${id}: ${problem}`);
  console.log(`${out}: ${report.count} samples, ${report.broken.length} left out`);
  return report.broken.length;
}

/** Reads a positive number of an option. */
export function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) {
    throw new UsageError(`${option}: expected a positive number, got ${text}`);
  }
  return value;
}
