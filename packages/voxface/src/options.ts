import type { Box } from '@voxface/landmarks';

/** Values that several commands name in their help. */
export const BACKENDS_HELP = 'auto, onnx, wasm, cpu, webgpu, node, node-gpu';
export const MODEL_HELP = 'name of a pretrained model, folder of a saved one, or .onnx file';
export const KINDS_HELP =
  'packed, 300w, 300w-lp, aflw2000-3d, aflw, wflw, keypoint-csv, merl-rav, coco, jvcr-json, 3dfaw, webdataset';
export const SPLIT_HELP = 'use only the rows of this split (keypoint-csv with a split column)';
export const IMAGES_HELP = 'folder of the images, if they are not beside the annotations';
export const BASIS_HELP = '300w-lp: folder of the 68 rows of the Basel face model (bfm-68), which give depth';

export const CROPS_HELP = 'average over n crops of each face (1 to 9): n times slower, more accurate';
export const SHARD_HELP =
  'do part i of n (1-based; default: what a Slurm array, a Kubernetes indexed job or mpirun says)';

/** Tells the caller which exit code the work ended with when it did not throw. */
export type SetExitCode = (code: number) => void;

/** What ends a command from outside, and the exit code that shells know it by: 128 + the signal's number. */
const STOPS: Readonly<Record<string, number>> = {
  SIGHUP: 129,
  SIGINT: 130,
  // What mpirun passes on, and what sbatch --signal=USR2@120 sends ahead of the time limit.
  SIGUSR2: 140,
  SIGPIPE: 141,
  SIGTERM: 143,
};

let stopWell: ((reason: string) => void) | undefined;
let stoppedBy = 0;

/** Exit code of what stopped the command last. */
export const stopCode = (): number => stoppedBy;

/**
 * Lets long work end well when it is stopped from outside: by Ctrl-C, a scheduler, a lost terminal, or a reader of its output
 * that has gone. The second stop ends the process at once.
 */
export interface Stop {
  readonly signal: AbortSignal;
  /** Exit code of what stopped it; 0 while nothing has. */
  code(): number;
  /** Gives the signals back. */
  release(): void;
}

/** @param say told once, in words, when the work is stopped by a signal. */
export function catchStops(say: string): Stop {
  const controller = new AbortController();
  let code = 0;
  const stop = (reason: string): void => {
    if (controller.signal.aborted) {
      // A closed pipe is told line by line.
      if (reason !== 'SIGPIPE') process.exit(STOPS[reason]);
      return;
    }
    code = STOPS[reason];
    stoppedBy = code;
    controller.abort();
    if (reason !== 'SIGPIPE') console.error(say);
  };
  const signals = ['SIGHUP', 'SIGINT', 'SIGTERM', 'SIGUSR2'] as const;
  for (const name of signals) process.on(name, stop);
  stopWell = stop;
  return {
    signal: controller.signal,
    code: () => code,
    release: () => {
      for (const name of signals) process.off(name, stop);
      stopWell = undefined;
    },
  };
}

/** Ends the command quietly when nobody reads its output any more (`voxface ... | head -1`). */
export function endWithItsReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (stopWell === undefined) process.exit(STOPS.SIGPIPE);
      stopWell('SIGPIPE');
    });
  }
}

/** The user's arguments are wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** The work was stopped from outside before its end: the exit code says by what. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError';
}

/** The work failed for a reason that one line can tell: exit code 1. */
export class WorkError extends Error {
  override readonly name = 'WorkError';
}

/** One line for the terminal; the stack only with VOXFACE_DEBUG set. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return process.env.VOXFACE_DEBUG ? (error.stack ?? error.message) : error.message.split('\n')[0];
}

/** Whether a path names a video file, by its ending. */
export function isVideo(path: string): boolean {
  return /\.(mp4|m4v|mov|mkv|webm|avi)$/i.test(path);
}

/** Reads a positive number. */
export function parsePositive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value))) {
    throw new UsageError(`${option}: expected a positive number, got ${text}`);
  }
  return value;
}

/** Reads a positive whole number. */
export function parseCount(option: string, text: string): number {
  const value = Number(text);
  if (!(Number.isInteger(value) && value > 0)) {
    throw new UsageError(`${option}: expected a positive whole number, got ${text}`);
  }
  return value;
}

/** Reads the number of crops of `--crops`. */
export const parseCrops = (text: string): number => parseCount('--crops', text);

/** Reads `X,Y,W,H` (pixels). */
export function parseBox(text: string): Box {
  const values = text.split(',').map(Number);
  const [x, y, width, height] = values;
  if (values.length !== 4 || values.some((v) => !Number.isFinite(v)) || width <= 0 || height <= 0) {
    throw new UsageError(`--box: expected X,Y,W,H in pixels with positive W and H, got ${text}`);
  }
  return { x, y, width, height };
}
