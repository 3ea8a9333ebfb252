import { existsSync, readdirSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { type Dataset, filterDataset } from '@voxface/datasets';
import {
  convertDataset,
  DATASET_KINDS,
  type DatasetKind,
  inspectDataset,
  type OpenDatasetOptions,
  openDataset,
} from '@voxface/datasets/node';
import { parsePositive, UsageError } from '../options.ts';
import { lazyProgress } from '../progress.ts';

/**
 * Opens the dataset that the arguments name.
 * @param kindOption what the kind's option is called.
 * @throws UsageError when there is no such kind, nothing at the path, or an empty folder.
 */
export async function openData(
  path: string,
  kind: string | undefined,
  kindOption: string,
  options: Omit<OpenDatasetOptions, 'kind'> = {},
): Promise<Dataset> {
  if (kind !== undefined) checkDatasetKind(kind, kindOption);
  if (!existsSync(path)) throw new UsageError(`no such file or folder: ${path}`);
  if (statSync(path).isDirectory() && readdirSync(path).length === 0) {
    throw new UsageError(`the folder ${path} is empty, expected a dataset`);
  }
  return openDataset(path, { ...options, kind: kind as DatasetKind | undefined });
}

/** @throws UsageError when there is no such kind of dataset. */
export function checkDatasetKind(kind: string, option: string): void {
  if (!(DATASET_KINDS as readonly string[]).includes(kind)) {
    throw new UsageError(`${option}: expected one of ${DATASET_KINDS.join(', ')}, got ${kind}`);
  }
}

/** Prints what a dataset contains; returns the number of broken samples. */
export async function inspectData(
  path: string,
  flags: { kind?: string; split?: string; sheet?: string; json?: string },
): Promise<number> {
  const { dataset, unopened } = await openCounting(path, flags);
  const { onProgress, finish } = lazyProgress('samples');
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

/** Converts a dataset to the packed format; returns the number of broken samples, which are omitted. */
export async function convertData(path: string, out: string, flags: Record<string, string>): Promise<number> {
  const face = flags.size
    ? { scale: parsePositive('--scale', flags.scale), size: parsePositive('--size', flags.size) }
    : undefined;
  const { dataset, unopened } = await openCounting(path, flags);
  const { onProgress, finish } = lazyProgress('samples');
  const report = await convertDataset(await selectSamples(dataset, flags), out, {
    resume: flags.resume !== undefined,
    onProgress,
    ...(face && { face }),
  });
  finish();
  const broken = [...unopened, ...report.broken];
  for (const { id, problem } of broken) console.error(`voxface: ${id}: ${problem}`);
  console.log(`${out}: ${report.count} samples, ${broken.length} omitted`);
  return broken.length;
}

interface BrokenSample {
  readonly id: string;
  readonly problem: string;
}

/** Opens a dataset and collects the samples that cannot even be opened. */
async function openCounting(
  path: string,
  { kind, split }: { kind?: string; split?: string },
): Promise<{ dataset: Dataset; unopened: BrokenSample[] }> {
  const unopened: BrokenSample[] = [];
  const dataset = await openData(path, kind, '--kind', {
    ...(split !== undefined && { split }),
    onProblem: ({ id, error }) => unopened.push({ id, problem: error.message }),
  });
  return { dataset, unopened };
}

/** Keeps the samples that `--only` lists and drops those of `--except`; profiles (`ID_p1`, whatever their suffix) follow their photo. */
async function selectSamples(dataset: Dataset, flags: Record<string, string>): Promise<Dataset> {
  const only = flags.only ? await readIds(flags.only) : undefined;
  const except = flags.except ? await readIds(flags.except) : undefined;
  if (!only && !except) return dataset;
  const listed = (ids: ReadonlySet<string>, id: string): boolean =>
    ids.has(id) || ids.has(id.replace(/_[a-z][\w-]*?\d+$/i, ''));
  return filterDataset(dataset, ({ id }) => (!only || listed(only, id)) && !(except && listed(except, id)));
}

async function readIds(file: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(JSON.parse(await readFile(file, 'utf8')) as string[]);
  } catch (error) {
    throw new UsageError(`${file}: not a readable JSON list of identifiers (${(error as Error).message})`);
  }
}
