/**
 * Validation curves of the ways to compute a step: the native backend's tape with several seeds for the spread, its graph, the graph with bf16
 * products, and wasm, each training `small` from fresh weights on the same real data in a process of its own.
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
const graph = { backend: 'node', execution: 'graph', seed: 0 } as const;
const arms: Arm[] = [
  ...Array.from(
    { length: Number(seeds) },
    (_, seed): Arm => ({ name: `tape-${seed}`, backend: 'node', execution: 'tape', seed }),
  ),
  { name: 'graph-0', ...graph },
  { name: 'graph-bf16-0', ...graph, environment: { ONEDNN_DEFAULT_FPMATH_MODE: 'BF16' } },
  { name: 'wasm-0', backend: 'wasm', execution: 'auto', seed: 0 },
];
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
  const tapes = [...runs].flatMap(([name, run]) => (name.startsWith('tape') ? [run] : []));
  const [float32, bf16, wasm] = ['graph-0', 'graph-bf16-0', 'wasm-0'].map((name) => runs.get(name)!);
  const range = (values: readonly number[]): string =>
    `${Math.min(...values).toFixed(2)} .. ${Math.max(...values).toFixed(2)}`;
  const row = (cells: readonly unknown[]): void => console.log(`| ${cells.join(' | ')} |`);
  row(['step', 'set', `tape, ${tapes.length} seeds: mean`, 'their range', 'graph', 'graph, bf16', 'wasm']);
  row(Array.from({ length: 7 }, () => '---'));
  for (const step of float32.errors.keys()) {
    for (const [k, set] of ['validation', 'validation-profiles'].entries()) {
      const own = tapes.map((run) => run.errors.get(step)![k]);
      const mean = own.reduce((sum, value) => sum + value, 0) / own.length;
      const others = [float32, bf16, wasm].map((run) => run.errors.get(step)![k].toFixed(2));
      row([step, set, mean.toFixed(2), range(own), ...others]);
    }
  }
  const apart = (run: Run): string => {
    const first = run.losses.findIndex(
      (loss, i) => Math.abs(loss - tapes[0].losses[i]) > 1e-3 * Math.abs(loss),
    );
    const start = Math.abs(run.losses[0] / tapes[0].losses[0] - 1);
    return `first loss ${start.toExponential(1)} from the tape's (relative), over 0.1 % from step ${first < 0 ? 'none' : first + 1} on`;
  };
  console.log(`graph: ${apart(float32)}\nwasm: ${apart(wasm)}`);
  const same = bf16.losses.every((loss, i) => loss === float32.losses[i]);
  console.log(
    same
      ? 'bf16: every loss is that of the graph in float32, bit for bit: this processor does not use it'
      : `bf16: ${apart(bf16)}`,
  );
  for (const [name, { milliseconds }] of runs)
    console.log(`${name}: ${milliseconds.toFixed(0)} ms per step (median)`);
}
