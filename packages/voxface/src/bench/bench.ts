import { availableParallelism } from 'node:os';
import { listPretrained } from '@voxface/pretrained';
import { parsePositive, UsageError } from '../options.ts';
import { NODE_BACKENDS, searchModelFolder } from '../photos/open-model.ts';
import {
  type BenchPart,
  type BenchSection,
  type BenchSettings,
  describeMachine,
  writeReportFiles,
} from './report.ts';

/** Parts by name, each loaded when it runs, and the backends that they take. */
export interface BenchSuite {
  readonly parts: Readonly<Record<string, BenchPart>>;
  readonly backends: readonly string[];
}

/** What can be measured wherever voxface is installed. */
export const BENCH_SUITE: BenchSuite = {
  parts: {
    models: async (settings) => (await import('./candidates.ts')).benchModels(settings),
    photos: async (settings) => (await import('./photos.ts')).benchPhotos(settings),
  },
  backends: ['onnx', ...NODE_BACKENDS.filter((name) => name !== 'auto')],
};

/**
 * Runs parts of a benchmark (all if none is named) and writes their tables.
 * @throws UsageError for an unknown part, model or backend, or an invalid number.
 */
export async function runBench(
  parts: readonly string[],
  flags: Readonly<Record<string, string>>,
  suite: BenchSuite = BENCH_SUITE,
): Promise<void> {
  for (const part of parts) {
    if (!Object.hasOwn(suite.parts, part)) {
      throw new UsageError(`bench: expected some of ${Object.keys(suite.parts).join(', ')}, got ${part}`);
    }
  }
  const settings: BenchSettings = {
    models: flags.models.split(','),
    backends: flags.backends.split(','),
    batch: parsePositive('--batch', flags.batch),
    rounds: parsePositive('--rounds', flags.rounds),
    threads: flags.threads ? parsePositive('--threads', flags.threads) : availableParallelism(),
    photos: flags.photos,
    count: parsePositive('--count', flags.count),
    flags,
  };
  await checkNames(settings, suite.backends);
  const machine = describeMachine();
  const sections: BenchSection[] = [];
  for (const part of parts.length > 0 ? parts : Object.keys(suite.parts)) {
    sections.push(...(await suite.parts[part](settings)));
    // Written after every part, because the whole takes long and no measurement should be lost.
    await writeReportFiles(machine, sections, { json: flags.json, markdown: flags.markdown });
  }
}

/** Rejects wrong names at once, not after the parts before the one that uses them. */
async function checkNames({ models, backends }: BenchSettings, known: readonly string[]): Promise<void> {
  for (const backend of backends) {
    if (!known.includes(backend)) {
      throw new UsageError(`--backends: expected some of ${known.join(', ')}, got ${backend}`);
    }
  }
  const { PRESETS } = await import('@voxface/models');
  for (const model of models) {
    if (Object.hasOwn(PRESETS, model) || searchModelFolder(model) !== undefined) continue;
    const pretrained = listPretrained().map(({ name }) => name);
    throw new UsageError(
      `--models: expected pretrained names (${pretrained.join(', ')}), presets (${Object.keys(PRESETS).join(', ')}) or folders of saved models, got ${model}`,
    );
  }
}
