/**
 * Validation curves of the ways to compute a step: the native backend's tape, its graph, the graph with bf16 products where the processor has
 * them, and wasm, with several seeds for the spread, each training `small` from fresh weights on the same real data in a process of its own.
 *
 *     node --conditions=voxface-source --import tsx packages/train/bench/curves.ts SETS OUT [STEPS] [BATCH] [SEEDS]
 *
 * SETS holds the packed sets `photos`, `profiles`, `validation`, `validation-profiles`. Arms whose runs lie in OUT are not run again.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { StepRecord, ValidationResult } from '../src/index.ts';
import { runTraining } from '../src/node.ts';

interface Arm {
  readonly name: string;
  readonly backend: 'node' | 'wasm';
  readonly execution: 'tape' | 'graph' | 'auto';
  readonly seed: number;
  readonly environment?: Record<string, string>;
}
interface Run {
  /** Loss of the volumes at every step. */
  readonly losses: readonly number[];
  /** Step -> error in percent per validation set. */
  readonly errors: ReadonlyMap<number, readonly number[]>;
  /** Milliseconds of a step, median. */
  readonly milliseconds: number;
}

const [sets, out, steps = '500', batch = '8', seeds = '3', only] = process.argv.slice(2);
const total = Number(steps);
/** Each with every seed, wasm with the first alone because it is slow; bf16 where the processor has it (elsewhere oneDNN takes no notice, bit for bit). */
const KINDS: Readonly<Record<string, Omit<Arm, 'name' | 'seed'>>> = {
  tape: { backend: 'node', execution: 'tape' },
  graph: { backend: 'node', execution: 'graph' },
  ...(hasBf16() && {
    'graph-bf16': {
      backend: 'node',
      execution: 'graph',
      environment: { ONEDNN_DEFAULT_FPMATH_MODE: 'BF16' },
    },
  }),
  wasm: { backend: 'wasm', execution: 'auto' },
};
const arms: Arm[] = Object.entries(KINDS).flatMap(([kind, way]) =>
  Array.from(
    { length: kind === 'wasm' ? 1 : Number(seeds) },
    (_, seed): Arm => ({ name: `${kind}-${seed}`, seed, ...way }),
  ),
);
const chosen = arms.find(({ name }) => name === only);
if (chosen) {
  await train(chosen);
  process.exit(0);
}
mkdirSync(out, { recursive: true });
for (const arm of arms) {
  if (existsSync(join(out, arm.name, 'model'))) continue;
  rmSync(join(out, arm.name), { recursive: true, force: true });
  const script = fileURLToPath(import.meta.url);
  const { status } = spawnSync(
    process.execPath,
    [...process.execArgv, script, sets, out, steps, batch, seeds, arm.name],
    { stdio: 'inherit', env: { ...process.env, TF_NUM_INTRAOP_THREADS: '1', ...arm.environment } },
  );
  if (status !== 0) throw new Error(`curves: ${arm.name} ended with exit code ${status}`);
}
report();

async function train({ name, backend, execution, seed }: Arm): Promise<void> {
  const packed = (set: string, rest: object = {}): object => ({
    format: 'packed',
    root: join(sets, set),
    name: set,
    ...rest,
  });
  await runTraining(
    {
      name,
      output: join(out, name),
      backend,
      execution,
      seed,
      model: 'small',
      data: {
        train3d: [packed('photos'), packed('profiles', { every: 4 })],
        validation: [packed('validation'), packed('validation-profiles', { every: 8 })],
      },
      augmentation: { rotation: 20, scale: [0.9, 1.1], mirror: 0.5 },
      batchSize: Number(batch),
      workers: 1,
      learningRate: { initial: 0.001, warmupSteps: 20 },
      coordinateLoss: 'distance',
      weights: { coordinate: 0.3 },
      stages: [
        { kind: 'pretrain', steps: Math.round(0.6 * total) },
        { kind: 'finetune', steps: total - Math.round(0.6 * total) },
      ],
      logEvery: 1,
      evaluateEvery: Math.round(total / 5),
      checkpointEvery: total,
    },
    { log: (line) => console.error(`${name}: ${line}`) },
  );
}

function readRun(name: string): Run {
  const lines = readFileSync(join(out, name, 'log.jsonl'), 'utf8')
    .trim()
    .split('\n');
  const records = lines.map((line) => JSON.parse(line));
  const made = records.filter(({ type }) => type === 'step') as StepRecord[];
  const errors = new Map<number, number[]>();
  for (const { type, step, results } of records) {
    if (type === 'evaluation') {
      errors.set(
        step,
        (results as ValidationResult[]).map(({ nme }) => 100 * nme),
      );
    }
  }
  const times = made.map(({ times: { total: all } }) => all).sort((a, b) => a - b);
  return { losses: made.map(({ losses }) => losses.volume), errors, milliseconds: times[times.length >> 1] };
}

function report(): void {
  const runs = new Map(arms.map(({ name }) => [name, readRun(name)]));
  const kinds = Object.keys(KINDS);
  const of = (kind: string): Run[] =>
    [...runs].flatMap(([name, run]) => (name.replace(/-\d+$/, '') === kind ? [run] : []));
  const row = (cells: readonly unknown[]): void => console.log(`| ${cells.join(' | ')} |`);
  row(['step', 'set', ...kinds]);
  row(['---', '---', ...kinds.map(() => '---')]);
  for (const step of runs.get('tape-0')!.errors.keys()) {
    for (const [k, set] of ['validation', 'validation-profiles'].entries()) {
      row([step, set, ...kinds.map((kind) => spread(of(kind).map((run) => run.errors.get(step)![k])))]);
    }
  }
  for (const arm of arms) {
    const run = runs.get(arm.name)!;
    const tape = runs.get(`tape-${arm.seed}`)!;
    console.log(
      `${arm.name}: ${run.milliseconds.toFixed(0)} ms per step (median)${run === tape ? '' : `, ${apart(run, tape)}`}`,
    );
  }
}

/** Mean (lowest .. highest). */
function spread(values: readonly number[]): string {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return `${mean.toFixed(2)} (${Math.min(...values).toFixed(2)} .. ${Math.max(...values).toFixed(2)})`;
}

/** Where a run leaves that of the same seed on the tape. */
function apart(run: Run, tape: Run): string {
  const first = run.losses.findIndex((loss, i) => Math.abs(loss - tape.losses[i]) > 1e-3 * Math.abs(loss));
  const start = Math.abs(run.losses[0] / tape.losses[0] - 1);
  return `first loss ${start.toExponential(1)} from the tape's, over 0.1 % from step ${first < 0 ? 'none' : first + 1} on`;
}

function hasBf16(): boolean {
  const information = '/proc/cpuinfo';
  return existsSync(information) && /avx512_bf16|amx_bf16/.test(readFileSync(information, 'utf8'));
}
