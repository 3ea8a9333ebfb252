import { readFile } from 'node:fs/promises';
import { type Dataset, filterDataset } from '@voxface/datasets';
import { convertDataset, type DatasetKind, openDataset } from '@voxface/datasets/node';
import { UsageError } from './errors.ts';
import { lazyProgress } from './inspect-data.ts';

/** Converts a dataset to the packed form; returns the number of samples left out as broken. */
export async function convertData(path: string, out: string, flags: Record<string, string>): Promise<number> {
  const { onProgress, finish } = lazyProgress();
  const dataset = await selectSamples(await openDataset(path, { kind: flags.kind as DatasetKind }), flags);
  const report = await convertDataset(dataset, out, {
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

/** Keeps the samples that `--only` lists and drops those of `--except`; profiles (`ID_p1`) follow their photo. */
async function selectSamples(dataset: Dataset, flags: Record<string, string>): Promise<Dataset> {
  const only = flags.only ? await readIds(flags.only) : undefined;
  const except = flags.except ? await readIds(flags.except) : undefined;
  if (!only && !except) return dataset;
  const listed = (ids: ReadonlySet<string>, id: string): boolean =>
    ids.has(id) || ids.has(id.replace(/_p\d+$/, ''));
  return filterDataset(dataset, ({ id }) => (!only || listed(only, id)) && !(except && listed(except, id)));
}

async function readIds(file: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(JSON.parse(await readFile(file, 'utf8')) as string[]);
  } catch (error) {
    throw new UsageError(`${file}: not a readable JSON list of identifiers (${(error as Error).message})`);
  }
}
