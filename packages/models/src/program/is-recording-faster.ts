import { getBackend } from '@tensorflow/tfjs-core';

/** Backends whose kernels run when they are called; on GPUs the overhead of TensorFlow.js hides behind them. */
const SYNCHRONOUS = ['cpu', 'wasm', 'tensorflow'];

/** Whether `recordProgram` is worth its while on the current backend. */
export function isRecordingFaster(): boolean {
  return SYNCHRONOUS.includes(getBackend());
}
