import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { listPretrained } from '@voxface/pretrained';
import type { BenchSection } from './bench/bench-report.ts';
import { describeMachine, writeReportFiles } from './bench/bench-report.ts';
import type { BenchSettings } from './bench/bench-settings.ts';
import { NODE_BACKENDS } from './choose-backend.ts';
import { positive } from './convert-data.ts';
import { UsageError } from './errors.ts';
import { searchModelDirectory } from './resolve-model.ts';

/** Parts of the benchmark, each loaded only when it runs. */
const PARTS: Readonly<Record<string, (settings: BenchSettings) => Promise<BenchSection[]>>> = {
  models: async (settings) => (await import('./bench/bench-models.ts')).benchModels(settings),
  training: async (settings) => (await import('./bench/bench-training.ts')).benchTraining(settings),
  peers: async (settings) => (await import('./bench/bench-peers.ts')).benchPeers(settings),
  photos: async (settings) => (await import('./bench/bench-photos.ts')).benchPhotos(settings),
  parts: async (settings) => (await import('./bench/bench-parts.ts')).benchParts(settings),
};

/**
 * Runs parts of the benchmark (all when none is named) and writes their tables.
 * @throws UsageError for an unknown part, model or backend, or a figure that is none.
 */
export async function runBench(parts: readonly string[], flags: Record<string, string>): Promise<void> {
  for (const part of parts) {
    if (!Object.hasOwn(PARTS, part)) {
      throw new UsageError(`bench: expected some of ${Object.keys(PARTS).join(', ')}, got ${part}`);
    }
  }
  const settings: BenchSettings = {
    models: flags.models.split(','),
    backends: flags.backends.split(','),
    batch: positive('--batch', flags.batch),
    rounds: positive('--rounds', flags.rounds),
    threads: flags.threads ? positive('--threads', flags.threads) : availableParallelism(),
    python: flags.python,
    peers: folderOf(flags.peers ?? process.env.FACE_API_FOLDER),
    photos: flags.photos,
    count: positive('--count', flags.count),
  };
  await checkNames(settings);
  const machine = describeMachine();
  const sections: BenchSection[] = [];
  for (const part of parts.length > 0 ? parts : Object.keys(PARTS)) {
    sections.push(...(await PARTS[part](settings)));
    // Written after every part: the whole takes long, and what is measured should not be lost.
    await writeReportFiles(machine, sections, { json: flags.json, markdown: flags.markdown });
  }
}

function folderOf(path: string | undefined): string | undefined {
  return path === undefined ? undefined : resolve(path);
}

/** Wrong names end the command at once, not after the parts before the one that needs them. */
async function checkNames({ models, backends }: BenchSettings): Promise<void> {
  const known = ['onnx', 'torch', 'torch-frozen', ...NODE_BACKENDS.filter((name) => name !== 'auto')];
  for (const backend of backends) {
    if (!known.includes(backend)) {
      throw new UsageError(`--backends: expected some of ${known.join(', ')}, got ${backend}`);
    }
  }
  const { PRESETS } = await import('@voxface/models');
  for (const model of models) {
    if (Object.hasOwn(PRESETS, model) || searchModelDirectory(model) !== undefined) continue;
    const pretrained = listPretrained().map(({ name }) => name);
    throw new UsageError(
      `--models: expected pretrained names (${pretrained.join(', ')}), presets (${Object.keys(PRESETS).join(', ')}) or folders of saved models, got ${model}`,
    );
  }
}
