import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setupBackend } from '@voxface/backend';
import type { FaceShapeModelOptions } from '@voxface/models';
import {
  type BenchSection,
  type BenchSettings,
  type Candidate,
  type CandidateOpener,
  countThreads,
  type Duration,
  openBenchModel,
  runRounds,
} from 'voxface/bench';
import { REPOSITORY, runProgram, runSource, whyNoTorch } from './repository.ts';

/** Opens a model in PyTorch, plain and frozen, for `openCandidates`. */
export function torchOpeners(python: string): Readonly<Record<string, CandidateOpener>> {
  const opener =
    (freeze: boolean): CandidateOpener =>
    async (model, { batch, threads }) => {
      const missing = await whyNoTorch(python);
      if (missing) throw new Error(missing);
      await setupBackend('cpu');
      const { options, dispose } = await openBenchModel(model);
      dispose();
      const name = `${model}, PyTorch${freeze ? ' (frozen)' : ''}, ${countThreads(threads)}`;
      return openTorch(name, python, options, { batch, threads, freeze });
    };
  return { torch: opener(false), 'torch-frozen': opener(true) };
}

/** The same network in PyTorch, in a process of its own, with random weights. */
async function openTorch(
  name: string,
  python: string,
  options: FaceShapeModelOptions,
  settings: { batch: number; threads: number; freeze: boolean },
): Promise<Candidate> {
  const script = join(REPOSITORY, 'scripts/bench/torch_face_shape.py');
  const child = spawn(python, [script, String(settings.threads)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (order: object): Promise<Duration> => {
    child.stdin.write(`${JSON.stringify(order)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`${name}: the Python process ended`);
    return JSON.parse(value);
  };
  await ask({ load: options, freeze: settings.freeze });
  return { name, run: () => ask({ run: settings.batch }), close: () => void child.stdin.end() };
}

/** The network of `train_step.py --preset wide`: two stacks of 128 features, 128 px. */
const NETWORK = '{"preset":"small","features":128}';
const BATCH = 8;
/** Each round starts programs that make several steps and report their best. */
const MOST_ROUNDS = 3;

/** The joint training step (Eq. 9) on wasm and the native backend, in one thread and two workers, and in PyTorch. */
export async function benchTraining(settings: BenchSettings): Promise<BenchSection[]> {
  const title = `Training, two stacks of 128 features, 128 px, ${BATCH} samples per worker: time for ${BATCH} samples, best step`;
  const python = settings.flags.python ?? 'python3';
  const notes: string[] = [];
  const candidates: Candidate[] = [];
  const noTorch = await whyNoTorch(python);
  if (noTorch) notes.push(noTorch);
  else {
    for (const threads of new Set([settings.threads, 1])) {
      candidates.push(torchStep(python, threads));
    }
  }
  for (const backend of ['wasm', 'node']) {
    const candidate = ourStep(backend);
    try {
      if (backend === 'node') await candidate.run();
      candidates.push(candidate, ourWorkers(backend));
    } catch (error) {
      notes.push(`${backend}: skipped, ${(error as Error).message}`);
    }
  }
  const timings = await runRounds(candidates, Math.min(MOST_ROUNDS, settings.rounds));
  return [{ title, unit: 'batch', timings, notes }];
}

function ourStep(backend: string): Candidate {
  return {
    name: `voxface, ${backend}`,
    run: async () =>
      readStep(
        await runSource('packages/train/bench/step.ts', [NETWORK, String(BATCH), backend, 'joint']),
        /best step (\d+); cpu (\d+)/,
      ),
    close: () => {},
  };
}

/** Two replicas with a thread each, gradients averaged, and Adam: half of the time of their common step. */
function ourWorkers(backend: string): Candidate {
  return {
    name: `voxface, ${backend}, 2 workers`,
    async run() {
      const args = [NETWORK, String(BATCH), backend, '6'];
      const environment = { TF_NUM_INTRAOP_THREADS: '1' };
      const output = await runSource('packages/train/bench/workers.ts', args, environment);
      const { wall, cpu } = readStep(output, /workers 2: best step (\d+); cpu (\d+)/);
      return { wall: wall / 2, cpu: cpu / 2 };
    },
    close: () => {},
  };
}

function torchStep(python: string, threads: number): Candidate {
  const size = ['--preset', 'wide', '--batch', String(BATCH), '--phases', 'joint'];
  const flags = [...size, '--threads', String(threads)];
  return {
    name: `PyTorch, ${threads} thread${threads === 1 ? '' : 's'}`,
    run: async () =>
      readStep(
        await runProgram(python, ['scripts/bench/train_step.py', ...flags]),
        /joint\s+best\s+([\d.]+) ms.*cpu\s+([\d.]+) ms/,
      ),
    close: () => {},
  };
}

function readStep(output: string, pattern: RegExp): Duration {
  const match = pattern.exec(output);
  if (!match) throw new Error(`bench: expected a line like ${pattern}, got ${output.slice(0, 200)}`);
  return { wall: Number(match[1]), cpu: Number(match[2]) };
}
