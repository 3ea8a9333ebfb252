/**
 * What a setting is worth: one small network trained from nothing on the sets of the shipped weights, once as it is and once for each change of
 * one setting, judged on the validation sets.
 *
 *     node --conditions=voxface-source --import tsx packages/train/bench/questions.ts SETS OUT [STEPS] [SEEDS]
 *
 * SETS holds the packed sets `photos`, `aflw`, `profiles`, `validation`, `validation-profiles`, `validation-aflw`. Arms whose runs lie in OUT are not run
 * again.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withDefaults } from '@voxface/landmarks';
import type { StepRecord, TrainingConfigInput, ValidationResult } from '../src/index.ts';
import { runTraining } from '../src/node.ts';

type Change = Partial<Record<keyof TrainingConfigInput, unknown>>;

const [sets, out, steps = '1500', seeds = '1', only, ownSeed = '0'] = process.argv.slice(2);
const MODEL = {
  preset: 'small',
  inputSize: 64,
  features: 24,
  hourglassDepth: 3,
  depths: [1, 16],
  regressorChannels: [12, 24, 48, 64],
};
const AUGMENTATION = { rotation: 35, spin: 0.06, scale: [0.85, 1.2], shift: 0.05, gain: 0.3, mirror: 0.5 };
const width = (features: number, regressorChannels: number[]): Change => ({
  model: { ...MODEL, features, regressorChannels },
});
const flat = (share2d: number): Change => ({
  data: { ...data(['profiles']), ...(share2d > 0 && { train2d: ['photos', 'aflw'].map(packed) }) },
  ...(share2d > 0 && { share2d, stages: [{ kind: 'mixed', steps: Number(steps) }] }),
});
/** The changes, each of one setting. */
const CHANGES: Readonly<Record<string, Change>> = {
  'as it is': {},
  '16 features': width(16, [8, 16, 32, 44]),
  '36 features': width(36, [18, 36, 72, 96]),
  'input 32, volume 8': {
    model: { ...MODEL, inputSize: 32, hourglassDepth: 2, depths: [1, 8], regressorChannels: [12, 24, 64] },
  },
  'input 96, volume 24': { model: { ...MODEL, inputSize: 96, depths: [1, 24] } },
  'squared loss (Eq. 6)': { coordinateLoss: 'squared', weights: { coordinate: 1 } },
  'no augmentation but mirrors': { augmentation: { mirror: 0.5 } },
  'views alone': flat(0),
  'views in 3D, photos in 2D: half': flat(0.5),
  'views in 3D, photos in 2D: three quarters': flat(0.75),
};
const folderOf = (name: string, seed: number): string =>
  join(out, `${name.replaceAll(/[^a-z0-9]+/gi, '-')}-${seed}`);

if (only !== undefined) {
  await train(only, Number(ownSeed));
  process.exit(0);
}
mkdirSync(out, { recursive: true });
for (let seed = 0; seed < Number(seeds); seed++) {
  for (const name of Object.keys(CHANGES)) {
    if (existsSync(join(folderOf(name, seed), 'model'))) continue;
    rmSync(folderOf(name, seed), { recursive: true, force: true });
    const { status } = spawnSync(
      process.execPath,
      [...process.execArgv, fileURLToPath(import.meta.url), sets, out, steps, seeds, name, String(seed)],
      { stdio: 'inherit', env: { ...process.env, TF_NUM_INTRAOP_THREADS: '1' } },
    );
    if (status !== 0) throw new Error(`questions: '${name}' ended with exit code ${status}`);
  }
}
report();

function packed(set: string): object {
  const repeat = set === 'photos' ? 3 : 1;
  return { format: 'packed', root: join(sets, set), name: set, repeat };
}

function data(train: readonly string[]): object {
  const validation = ['validation', 'validation-profiles', 'validation-aflw'].map(packed);
  return { train3d: train.map(packed), validation };
}

async function train(name: string, seed: number): Promise<void> {
  const total = Number(steps);
  const config = {
    name,
    output: folderOf(name, seed),
    backend: 'node',
    seed,
    model: MODEL,
    data: data(['photos', 'aflw', 'profiles']),
    augmentation: AUGMENTATION,
    batchSize: 12,
    learningRate: { initial: 0.003, warmupSteps: 100, shape: 'cosine', floor: 0.005 },
    average: { decay: 0.98, every: 10 },
    stages: [{ kind: 'finetune', steps: total }],
    logEvery: 500,
    evaluateEvery: total,
    checkpointEvery: total,
    coordinateLoss: 'distance',
    weights: { coordinate: 0.3 },
  };
  await runTraining(withDefaults(config, CHANGES[name] as Partial<typeof config>), { log: () => {} });
}

/** The last evaluation of every arm as a Markdown table, means over the seeds. */
function report(): void {
  console.log(
    '| setting | photos: 68 points, 3D | views | AFLW | ms per step |\n| --- | --- | --- | --- | --- |',
  );
  for (const name of Object.keys(CHANGES)) {
    const runs = Array.from({ length: Number(seeds) }, (_, seed) => readRun(folderOf(name, seed)));
    const cells = runs[0].results.map((_, set) =>
      (['nme', 'nme3d'] as const)
        .map((key) => percent(runs.map(({ results }) => results[set][key]!)))
        .join(', '),
    );
    const milliseconds = Math.min(...runs.map((run) => run.milliseconds));
    console.log(`| ${[name, ...cells, milliseconds.toFixed(0)].join(' | ')} |`);
  }
}

function readRun(folder: string): { results: readonly ValidationResult[]; milliseconds: number } {
  const lines = readFileSync(join(folder, 'log.jsonl'), 'utf8').trim().split('\n');
  const records = lines.map((line) => JSON.parse(line) as { type: string });
  const evaluations = records.filter(({ type }) => type === 'evaluation') as unknown as {
    results: ValidationResult[];
  }[];
  const times = (records.filter(({ type }) => type === 'step') as unknown as StepRecord[]).map(
    ({ times }) => times.total!,
  );
  return {
    results: evaluations.at(-1)!.results,
    milliseconds: times.sort((a, b) => a - b)[times.length >> 1],
  };
}

function percent(values: readonly number[]): string {
  return ((100 * values.reduce((sum, value) => sum + value, 0)) / values.length).toFixed(2);
}
