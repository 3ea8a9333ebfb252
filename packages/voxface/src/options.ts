import type { Box } from '@voxface/landmarks';

/** Values that several commands name in their help. */
export const BACKENDS_HELP = 'auto, onnx, wasm, cpu, webgpu, node, node-gpu';
export const MODEL_HELP = 'name of a pretrained model, folder of a saved one, or .onnx file';
export const KINDS_HELP = 'packed, 300w, 300w-lp, aflw2000-3d, aflw, wflw, keypoint-csv, merl-rav, 3dfaw';
export const SPLIT_HELP = 'use only the rows of this split (keypoint-csv with a split column)';

export const SHARD_HELP =
  'do part i of n (1-based; default: what a Slurm array, a Kubernetes indexed job or mpirun says)';

/** Tells the caller which exit code the work ended with when it did not throw. */
export type SetExitCode = (code: number) => void;

/** The user's arguments are wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
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

/** Reads `X,Y,W,H` (pixels). */
export function parseBox(text: string): Box {
  const values = text.split(',').map(Number);
  const [x, y, width, height] = values;
  if (values.length !== 4 || values.some((v) => !Number.isFinite(v)) || width <= 0 || height <= 0) {
    throw new UsageError(`--box: expected X,Y,W,H in pixels with positive W and H, got ${text}`);
  }
  return { x, y, width, height };
}
