import { readFile } from 'node:fs/promises';
import { runTraining } from '@voxface/train/node';
import { describeError, UsageError } from './errors.ts';

/** Runs a training configuration; the first Ctrl-C finishes the step, saves and stops, the second stops at once. */
export async function trainFromConfig(
  file: string,
  flags: { resume?: string; workers?: string; backend: string },
): Promise<void> {
  const config = await readConfig(file);
  const workers = flags.workers === undefined ? undefined : Number(flags.workers);
  if (workers !== undefined && !(Number.isInteger(workers) && workers > 0)) {
    throw new UsageError(`--workers: expected a positive whole number, got ${flags.workers}`);
  }
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(130);
    console.error('stopping after this step; the checkpoint is being written (again Ctrl-C stops at once)');
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  const overrides = {
    ...(workers === undefined ? {} : { workers }),
    ...(flags.resume === undefined ? {} : { output: flags.resume }),
    ...(flags.backend === 'auto' ? {} : { backend: flags.backend }),
  };
  try {
    await runTraining(
      { ...config, ...overrides },
      { resume: flags.resume !== undefined, signal: controller.signal, log: (line) => console.log(line) },
    );
  } catch (error) {
    if (error instanceof RangeError && error.message.startsWith('parseTrainingConfig')) {
      throw new UsageError(error.message);
    }
    throw error;
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
  }
}

async function readConfig(file: string): Promise<Record<string, unknown>> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`${file}: not a readable JSON file (${describeError(error)})`);
  }
}
