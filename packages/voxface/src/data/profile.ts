import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { concatDatasets, type Dataset, type Shard } from '@voxface/datasets';
import { openPackedSet } from '@voxface/datasets/node';
import { createProfiledSet, openBfm68, openFaceModel } from '@voxface/facefit/node';
import { parseCount, parsePositive, UsageError, WorkError } from '../options.ts';
import { readShard } from '../parts.ts';
import { drawSheet, openData } from './data.ts';

export interface ProfileFlags {
  dataset: string;
  root: string[];
  facekit: string;
  facekitLandmarks?: string;
  out: string;
  labels?: string;
  split?: string;
  yaws: string;
  pitch: string;
  roll: string;
  suffix: string;
  unturned: boolean;
  size: string;
  workers: string;
  seed: string;
  shard?: string;
}

/**
 * Fits every face of the datasets and writes its profiles as a packed set; with workers, one process for each part of
 * this process's part.
 */
export async function profileData(flags: ProfileFlags): Promise<void> {
  const workers = parseCount('--workers', flags.workers);
  const settings = {
    yaws: parseYaws(flags.yaws),
    pitch: parseRange('--pitch', flags.pitch, 60),
    roll: parseRange('--roll', flags.roll, 180),
    suffix: parseSuffix(flags.suffix),
    unturned: flags.unturned,
    size: parsePositive('--size', flags.size),
    seed: parseSeed(flags.seed),
  };
  const shard = readShard(flags.shard);
  if (!existsSync(flags.facekit)) {
    throw new UsageError(`--facekit: no such file or folder: ${flags.facekit}`);
  }
  if (workers > 1) return runShards(shard, workers);
  const problems: { id: string; message: string }[] = [];
  const onProblem = ({ id, error }: { id: string; error: Error }): void => {
    problems.push({ id, message: error.message });
  };
  const datasets: Dataset[] = [];
  for (const root of flags.root)
    datasets.push(
      await openData(root, flags.dataset, '--dataset', {
        onProblem,
        ...(flags.split !== undefined && { split: flags.split }),
      }),
    );
  const landmarks = flags.facekitLandmarks ? await readLandmarks(flags.facekitLandmarks) : undefined;
  const report = await createProfiledSet({
    ...settings,
    dataset: datasets.length === 1 ? datasets[0] : concatDatasets(datasets),
    model: await openFaceModel(flags.facekit, { landmarks }),
    ...(flags.labels !== undefined && { labels: await openBfm68(flags.labels) }),
    outDirectory: flags.out,
    shard,
    log: (line) => console.log(line),
  });
  await writeProfileSheet(report.directory, settings.suffix);
  problems.push(...report.problems);
  for (const { id, message } of problems) console.error(`voxface: ${id}: ${message}`);
  console.log(
    `${report.directory}: ${report.images} images written in ${report.seconds.toFixed(0)} s, ${report.faces} faces in the dataset`,
  );
  if (problems.length > 0) throw new WorkError(`${problems.length} faces omitted (listed above)`);
}

/** Draws faces spread over a finished set: a row per face, a place per picture (`ID`, `ID_p1`, ...). */
async function writeProfileSheet(folder: string, suffix: string): Promise<void> {
  const set = await openPackedSet(folder).catch(() => undefined);
  if (set === undefined || set.length === 0) return;
  const turned = new RegExp(`_${suffix}\\d+$`);
  const faces = new Map<string, number[]>();
  set.ids.forEach((id, index) => {
    const face = id.replace(turned, '');
    faces.set(face, [...(faces.get(face) ?? []), index]);
  });
  const all = [...faces.values()];
  const count = Math.min(SHEET_ROWS, all.length);
  const rows = Array.from({ length: count }, (_, k) => all[Math.floor((k * all.length) / count)]);
  const columns = Math.min(SHEET_COLUMNS, Math.max(...rows.map((row) => row.length)));
  const places = rows.flatMap((row) => Array.from({ length: columns }, (_, x) => row.at(x)));
  const samples = await Promise.all(places.map((index) => (index === undefined ? undefined : set.load(index))));
  await writeFile(join(folder, 'contact-sheet.png'), await drawSheet(samples, columns));
}

const SHEET_ROWS = 12;
const SHEET_COLUMNS = 9;

async function readLandmarks(file: string): Promise<number[]> {
  try {
    const list: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (Array.isArray(list) && list.every((value) => typeof value === 'number')) return list;
  } catch (error) {
    throw new UsageError(`--facekit-landmarks: ${file} is not readable JSON (${(error as Error).message})`);
  }
  throw new UsageError(`--facekit-landmarks: ${file} is no list of vertex numbers`);
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (!Number.isSafeInteger(seed)) throw new UsageError(`--seed: expected a whole number, got ${text}`);
  return seed;
}

/** `none` is 0, `4x` four per face, otherwise a list of degrees. */
export function parseYaws(text: string): number | number[] {
  if (text === 'none') return 0;
  if (/^\d+x$/.test(text)) return Number.parseInt(text, 10);
  const yaws = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (yaws.some((yaw) => !(Math.abs(yaw) <= 90))) {
    throw new UsageError(`--yaws: expected degrees from -90 to 90, a count such as 4x, or none, got ${text}`);
  }
  return yaws;
}

/** `own` is null, otherwise two degrees within +-limit, the lower first. */
export function parseRange(option: string, text: string, limit: number): [number, number] | null {
  if (text === 'own') return null;
  const [from, to, ...rest] = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (rest.length > 0 || !(from >= -limit && from < to && to <= limit)) {
    throw new UsageError(
      `${option}: expected two degrees from -${limit} to ${limit}, the lower first, or own, got ${text}`,
    );
  }
  return [from, to];
}

function parseSuffix(text: string): string {
  if (/^[\w-]+$/.test(text)) return text;
  throw new UsageError(`--suffix: expected letters, digits, _ or -, got ${text}`);
}

/** Runs this very command once per part of the given shard; fails when one of them does. */
async function runShards({ index, count }: Shard, workers: number): Promise<void> {
  const args = withoutOptions(process.argv.slice(1), ['--workers', '--shard']);
  const codes = await Promise.all(
    Array.from({ length: workers }, (_, k) => {
      const part = `${index * workers + k + 1}/${count * workers}`;
      const child = spawn(process.execPath, [...process.execArgv, ...args, '--shard', part], {
        stdio: 'inherit',
      });
      return new Promise<number>((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
    }),
  );
  const failed = codes.filter((code) => code !== 0).length;
  if (failed > 0) {
    throw new WorkError(`${failed} of ${workers} shards failed (run again: what is done is kept)`);
  }
}

/** The arguments without the named options, whether written `--name value` or `--name=value`. */
export function withoutOptions(args: readonly string[], names: readonly string[]): string[] {
  return args.filter(
    (arg, i) => !names.some((name) => arg === name || arg.startsWith(`${name}=`) || args[i - 1] === name),
  );
}
