import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { FaceShapeModelOptions } from '@voxface/models';
import { findRepository } from './repository.ts';
import type { Contestant, Duration } from './rounds.ts';

/** The same network in PyTorch, in a process of its own, with random weights. */
export async function openTorch(
  name: string,
  python: string,
  options: FaceShapeModelOptions,
  settings: { batch: number; threads: number; freeze: boolean },
): Promise<Contestant> {
  const script = join(findRepository()!, 'scripts/bench/torch_face_shape.py');
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
