import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  EXPERIMENT_SIZES,
  EXPERIMENTS,
  type ExperimentSize,
  experimentConfig,
  type TrainingConfigInput,
} from '@voxface/train';
import { type RunTrainingOptions, runTraining, type TrainingResult } from '@voxface/train/node';
import { catchStops, describeError, parseCount, stopCode, UsageError } from '../options.ts';

/** Flags of `voxface train`. */
export interface TrainFlags {
  resume?: string;
  overwrite?: boolean;
  workers?: string;
  backend: string;
  /** Of an experiment. */
  size: string;
  seed: string;
  /** NAME=PATH. */
  set?: string[];
}

/**
 * `voxface train`: runs a configuration file or an experiment.
 * @returns the exit code: 0 when it ran to its end, else that of what stopped it.
 */
export async function trainFromConfig(file: string, flags: TrainFlags): Promise<number> {
  const isExperiment = EXPERIMENTS.some(({ name }) => name === file);
  const config = isExperiment
    ? readExperiment(file, flags)
    : placeSets(await readConfig(file), parseSets(flags.set));
  const workers =
    flags.workers === 'auto'
      ? 'auto'
      : flags.workers === undefined
        ? (config.workers ?? 'auto')
        : parseCount('--workers', flags.workers);
  if (flags.resume !== undefined) await checkResumable(flags.resume);
  const overrides = {
    workers,
    ...(flags.resume === undefined ? {} : { output: flags.resume }),
    ...(flags.backend === 'auto' ? {} : { backend: flags.backend }),
  };
  const { finished } = await trainRun(
    { ...config, ...overrides },
    { resume: flags.resume === undefined ? false : 'required', overwrite: flags.overwrite },
  );
  // A launcher ends all other ranks when one ends with a code, also while they save.
  const isRank = ['OMPI_COMM_WORLD_SIZE', 'PMI_SIZE', 'PMIX_RANK'].some((name) => name in process.env);
  return finished || isRank ? 0 : stopCode();
}

/**
 * Runs a configuration; the first Ctrl-C (or another end from outside) finishes the step, saves and stops, the second stops at
 * once.
 */
export async function trainRun(
  config: object,
  options: Pick<RunTrainingOptions, 'resume' | 'overwrite'>,
): Promise<TrainingResult> {
  const stop = catchStops(
    'stopping after this step and writing a checkpoint (press Ctrl-C again to stop at once)',
  );
  try {
    return await runTraining(config, {
      ...options,
      signal: stop.signal,
      log: (line) => console.log(line),
    });
  } catch (error) {
    if (error instanceof RangeError && error.message.startsWith('parseTrainingConfig')) {
      throw new UsageError(error.message);
    }
    throw error;
  } finally {
    stop.release();
  }
}

/** A folder without checkpoints is a wrong argument, found before any data is opened. */
async function checkResumable(folder: string): Promise<void> {
  const names = await readdir(join(folder, 'checkpoints')).catch((): string[] => []);
  if (names.some((name) => /^step-\d+\.ckpt$/.test(name))) return;
  throw new UsageError(
    `--resume: expected the output folder of a run that has written a checkpoint, got ${folder} without any (start without --resume: the run writes to its configuration's output)`,
  );
}

/** Configuration of an experiment. */
export function readExperiment(
  name: string,
  { size, seed, set = [] }: Pick<TrainFlags, 'size' | 'seed' | 'set'>,
): TrainingConfigInput {
  if (!EXPERIMENT_SIZES.includes(size as ExperimentSize)) {
    throw new UsageError(`--size: expected one of ${EXPERIMENT_SIZES.join(', ')}, got ${size}`);
  }
  if (!/^\d+$/.test(seed)) throw new UsageError(`--seed: expected a whole number, got ${seed}`);
  try {
    return experimentConfig(name, size as ExperimentSize, Number(seed), parseSets(set));
  } catch (error) {
    throw new UsageError(`--set: ${(error as Error).message}`);
  }
}

/** NAME=PATH as a record. */
function parseSets(set: readonly string[] = []): Record<string, string> {
  const sets = set.map((text) => {
    const at = text.indexOf('=');
    if (at < 1 || at === text.length - 1) {
      throw new UsageError(`--set: expected NAME=PATH, got ${text}`);
    }
    return [text.slice(0, at), text.slice(at + 1)];
  });
  return Object.fromEntries(sets);
}

/** A configuration whose sets of those names lie elsewhere; a set goes by its `name`, or else by the last part of its `root`. */
function placeSets(
  config: TrainingConfigInput,
  places: Readonly<Record<string, string>>,
): TrainingConfigInput {
  const wanted = Object.keys(places);
  if (wanted.length === 0) return config;
  const known = new Set<string>();
  const place = <T extends { name?: string; root: string }>(source: T): T => {
    const name = source.name ?? basename(String(source.root));
    known.add(name);
    return Object.hasOwn(places, name) ? { ...source, root: places[name] } : source;
  };
  const kinds = Object.entries(config.data ?? {}).map(([kind, sources]) => [
    kind,
    Array.isArray(sources) ? sources.map(place) : sources,
  ]);
  const unknown = wanted.filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new UsageError(
      `--set: the configuration has the sets ${[...known].join(', ') || '(none)'}, got ${unknown.join(', ')}`,
    );
  }
  return { ...config, data: Object.fromEntries(kinds) };
}

async function readConfig(file: string): Promise<TrainingConfigInput> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UsageError(
      `${file}: not a readable JSON file (${describeError(error)}), nor the name of an experiment`,
    );
  }
}
