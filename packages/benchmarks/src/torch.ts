import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setupBackend } from '@voxface/backend';
import type { FaceShapeModelOptions } from '@voxface/models';
import {
  type Candidate,
  type CandidateOpener,
  countThreads,
  type Duration,
  openBenchModel,
} from 'voxface/bench';
import { REPOSITORY, whyNoTorch } from './repository.ts';

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
