import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  cropSample,
  DATASET_KINDS,
  type Dataset,
  type DatasetKind,
  filterDataset,
  type Sample,
  shardFolder,
  shardIndices,
  takeSamples,
} from '@voxface/datasets';
import {
  convertDataset,
  type DatasetReport,
  inspectDataset,
  joinPackedSet,
  keepSettings,
  mergeReports,
  type OpenDatasetOptions,
  openDataset,
} from '@voxface/datasets/node';
import { boxOf, createLandmarks } from '@voxface/landmarks';
import { parsePositive, UsageError } from '../options.ts';
import { type Job, openPart, openParts, readShard, writeMerged, writePart } from '../parts.ts';
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
  // Addresses, and tars by their ranges in braces, are looked for by their readers.
  const isElsewhere = /^https?:\/\/|\{.*\.tar$/i.test(path);
  if (!isElsewhere && !existsSync(path)) throw new UsageError(`no such file or folder: ${path}`);
  if (!isElsewhere && statSync(path).isDirectory() && readdirSync(path).length === 0) {
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

/**
 * Prints what a dataset contains; returns the number of broken samples. One of several parts writes its report beside
 * `--json`, to be joined by `voxface merge`.
 */
export async function inspectData(
  path: string,
  flags: { kind?: string; split?: string; images?: string; basis?: string; sheet?: string; json?: string; shard?: string },
): Promise<number> {
  const { json, sheet } = flags;
  const shard = readShard(flags.shard);
  if (shard.count > 1 && (json === undefined || sheet !== undefined)) {
    throw new UsageError('--shard: expected --json FILE, for voxface merge FILE, and no --sheet');
  }
  const { dataset, unopened } = await openCounting(path, flags);
  const inspect = async (part: Dataset) => {
    const { onProgress, finish } = lazyProgress('samples');
    const { samples, ...found } = await inspectDataset(part, { samples: sheet ? SHEET_FACES : 0, onProgress });
    finish();
    if (sheet && samples) await writeFile(sheet, await drawSheet(samples, 8));
    return found;
  };
  if (shard.count === 1) return writeReport(await inspect(dataset), unopened, json);
  const settings = { ...digestOf(dataset), unopened };
  const part = await openPart(json!, shard, { voxface: 'inspect', count: shard.count, settings });
  if (part !== undefined) {
    await writePart(part, async () => {
      if (part.last >= 0) return;
      const indices = shardIndices(dataset.length, shard);
      await part.write(shard.index, await inspect(takeSamples(dataset, indices)));
    });
  }
  console.log(
    `part ${shard.index + 1} of ${shard.count}: ${part ? 'done' : 'complete already'} (voxface merge ${json} when all are)`,
  );
  return 0;
}

const SHEET_FACES = 48;
/** Side of a face on a contact sheet, pixels. */
const SHEET_CELL = 144;
/** What stands on a contact sheet where there is no face. */
const BLANK = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" width="1" height="1"></svg>';

/**
 * Faces in a grid, each cut a little wider than for training, with its visible landmarks, as PNG bytes.
 * @param faces row by row; undefined leaves a place empty.
 */
export async function drawSheet(faces: readonly (Sample | undefined)[], columns: number): Promise<Uint8Array> {
  const [{ contactSheet, overlaySvg }, { photoHref, renderPng }] = await Promise.all([
    import('@voxface/plots'),
    import('@voxface/plots/node'),
  ]);
  const cells: { svg: string }[] = [];
  for (const face of faces) {
    if (face === undefined) {
      cells.push({ svg: BLANK });
      continue;
    }
    const [width, height] = [SHEET_CELL, SHEET_CELL];
    const { pixels, landmarks, visible } = cropSample(face, { size: SHEET_CELL, cropScale: 1.5 });
    const { points, dims } = landmarks;
    const seen = Array.from(points).filter((_, k) => k % dims < 2 && visible?.[Math.floor(k / dims)] !== 0);
    const shape = createLandmarks(seen.map((value) => value * SHEET_CELL - 0.5), 2);
    const href = await photoHref({ data: pixels, width, height, channels: 3 });
    cells.push({ svg: overlaySvg({ width, height, href }, [{ landmarks: shape }], { connect: false, radius: 1 }) });
  }
  return renderPng(contactSheet(cells, { columns, cell: SHEET_CELL, gap: 2 }));
}

async function writeReport(
  found: DatasetReport,
  unopened: readonly BrokenSample[],
  file: string | undefined,
): Promise<number> {
  const report = { ...found, broken: [...unopened, ...found.broken] };
  for (const [key, value] of Object.entries(report)) {
    if (key !== 'broken')
      console.log(`${key.padEnd(12)} ${typeof value === 'object' ? JSON.stringify(value) : value}`);
  }
  for (const { id, problem } of report.broken) console.error(`voxface: ${id}: ${problem}`);
  if (file) await writeFile(file, `${JSON.stringify(report, null, 1)}\n`);
  return report.broken.length;
}

/** What tells a dataset from another, or from itself before something was added to it. */
function digestOf({ name, ids }: Dataset): { name: string; samples: number; ids: string } {
  const digest = createHash('sha256').update(ids.join('\n')).digest('hex').slice(0, 16);
  return { name, samples: ids.length, ids: digest };
}

/**
 * Converts a dataset to the packed format; returns the number of broken samples, which are omitted. One of several parts
 * goes to a subfolder, and continues what a killed attempt has left; `voxface merge` joins them.
 */
export async function convertData(path: string, out: string, flags: Record<string, string>): Promise<number> {
  const face = flags.size
    ? { scale: parsePositive('--scale', flags.scale), size: parsePositive('--size', flags.size) }
    : undefined;
  const shard = readShard(flags.shard);
  const { dataset, unopened } = await openCounting(path, flags);
  const whole = await selectSamples(dataset, flags);
  const folder = join(out, shardFolder(shard));
  if (shard.count > 1) await keepSettings(folder, { ...digestOf(whole), face, conform: flags.conform, refine: flags.refine, decoded: flags.decoded });
  const { onProgress, finish } = lazyProgress('samples');
  const part = shard.count === 1 ? whole : takeSamples(whole, shardIndices(whole.length, shard));
  const refined = await refine(await conform(part, flags.conform), flags.refine);
  const report = await convertDataset(refined.dataset, folder, {
    resume: flags.resume !== undefined || shard.count > 1,
    onProgress,
    ...(face && { face }),
    decoded: flags.decoded !== undefined,
  }).finally(() => refined.predictor?.dispose());
  finish();
  const broken = [...(shard.index === 0 ? unopened : []), ...report.broken];
  for (const { id, problem } of broken) console.error(`voxface: ${id}: ${problem}`);
  console.log(`${folder}: ${report.count} samples, ${broken.length} omitted`);
  return shard.count === 1 ? broken.length : 0;
}

/**
 * Joins the parts of a job: of `localize` (NAME.jsonl), `evaluate` and `data inspect` (their --json), or of `data convert`
 * and `data profile` (their folder). Returns how many items failed.
 * @param mergeEvaluation what `evaluate` makes of its parts.
 * @throws Error when parts are missing, unfinished, or not of one job.
 */
export async function mergeData(out: string, mergeEvaluation: (job: Job) => Promise<void>): Promise<number> {
  if (existsSync(out) && statSync(out).isDirectory()) {
    console.log(`${out}: ${await joinPackedSet(out)} samples`);
    return 0;
  }
  const job = await openParts(out);
  if (job.voxface === 'evaluate') {
    await mergeEvaluation(job);
    return 0;
  }
  if (job.voxface === 'inspect') {
    const reports: DatasetReport[] = [];
    for await (const { value } of job.lines<DatasetReport>()) reports.push(value);
    return writeReport(mergeReports(reports), job.settings.unopened as BrokenSample[], out);
  }
  const { items, failed } = await writeMerged(out, job);
  console.log(`${out}: ${items} photos of ${job.files.length} parts${failed ? `, ${failed} failed` : ''}`);
  return failed;
}

async function conform(dataset: Dataset, folder: string | undefined): Promise<Dataset> {
  if (folder === undefined) return dataset;
  const [{ createConformedDataset }, { openBfm68 }] = await Promise.all([
    import('@voxface/facefit'),
    import('@voxface/facefit/node'),
  ]);
  return createConformedDataset(dataset, await openBfm68(folder));
}

/** @throws UsageError when the dataset has no depth. */
async function refine(
  dataset: Dataset,
  model: string | undefined,
): Promise<{ dataset: Dataset; predictor?: { dispose(): void } }> {
  if (model === undefined) return { dataset };
  if (dataset.dims !== 3) {
    throw new UsageError('--refine: expected landmarks in 3D, got 2D (give --conform FOLDER as well, or profile them first)');
  }
  const [{ createRefinedDataset }, { openModel }] = await Promise.all([
    import('@voxface/facefit'),
    import('../photos/open-model.ts'),
  ]);
  const { name, predictor } = await openModel(model, { flip: true });
  const predict = async ({ image, landmarks }: Sample<3>) =>
    (await predictor.predict(image, boxOf(landmarks))).landmarks;
  return { dataset: createRefinedDataset(dataset as Dataset<3>, predict, name), predictor };
}

interface BrokenSample {
  readonly id: string;
  readonly problem: string;
}

/** Opens a dataset and collects the samples that cannot even be opened. */
async function openCounting(
  path: string,
  { kind, split, images, basis }: { kind?: string; split?: string; images?: string; basis?: string },
): Promise<{ dataset: Dataset; unopened: BrokenSample[] }> {
  const unopened: BrokenSample[] = [];
  const dataset = await openData(path, kind, '--kind', {
    ...(split !== undefined && { split }),
    ...(images !== undefined && { images }),
    ...(basis !== undefined && { basis }),
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
