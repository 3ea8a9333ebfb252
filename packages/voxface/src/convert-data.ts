import { readFile } from 'node:fs/promises';
import { type Dataset, filterDataset } from '@voxface/datasets';
import { convertDataset } from '@voxface/datasets/node';
import { UsageError } from './errors.ts';
import { lazyProgress } from './inspect-data.ts';
import { openData } from './open-data.ts';

/** Converts a dataset to the packed form; returns the number of samples left out as broken. */
export async function convertData(path: string, out: string, flags: Record<string, string>): Promise<number> {
  const { onProgress, finish } = lazyProgress();
  const face = flags.size
    ? { scale: positive('--scale', flags.scale), size: positive('--size', flags.size) }
    : undefined;
  const unopened: { id: string; problem: string }[] = [];
  const opened = await openData(path, flags.kind, '--kind', {
    ...(flags.split !== undefined && { split: flags.split }),
    onProblem: ({ id, error }) => unopened.push({ id, problem: error.message }),
  });
  const report = await convertDataset(await selectSamples(opened, flags), out, {
    resume: flags.resume !== undefined,
    onProgress,
    ...(face && { face }),
  });
  finish();
  const broken = [...unopened, ...report.broken];
  for (const { id, problem } of broken) console.error(`voxface: ${id}: ${problem}`);
  console.log(`${out}: ${report.count} samples, ${broken.length} left out`);
  return broken.length;
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
