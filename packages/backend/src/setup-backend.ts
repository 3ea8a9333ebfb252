import { ready, setBackend } from '@tensorflow/tfjs-core';
import { assertTrainable } from './assert-trainable.ts';
import { registerCpuKernels } from './cpu/register-cpu-kernels.ts';
import { enableRelaxedSimd } from './wasm/enable-relaxed-simd.ts';
import { registerWasmKernels } from './wasm/register-wasm-kernels.ts';

/** Names that `setupBackend` takes. */
export type BackendName = 'auto' | 'cpu' | 'wasm' | 'webgl' | 'webgpu' | 'node' | 'node-gpu';

/** The backend that was chosen. */
export interface BackendInfo {
  /** Name under which TensorFlow.js knows it. */
  name: string;
  /** Why it was chosen. */
  reason: string;
  /** Threads it computes with, where known. */
  threads?: number;
  /** Backends that were tried before it, and why each was passed over. */
  tried: { name: string; problem: string }[];
}

/**
 * Loads a TensorFlow.js backend, makes it current and able to train (gradients, missing and wrong kernels).
 *
 * @throws when the backend cannot be used here; the message says why.
 */
export async function setupBackend(name: BackendName = 'auto'): Promise<BackendInfo> {
  const chosen = name === 'auto' ? 'wasm' : name;
  await import('@tensorflow/tfjs-layers');
  if (chosen === 'wasm') {
    await import('@tensorflow/tfjs-backend-wasm');
    enableRelaxedSimd();
    registerWasmKernels();
  } else if (chosen === 'cpu') {
    await import('@tensorflow/tfjs-backend-cpu');
    registerCpuKernels();
  } else {
    throw new Error(`setupBackend: the backend must be 'cpu' or 'wasm', got '${name}'`);
  }
  if (!(await setBackend(chosen))) {
    throw new Error(`setupBackend: the ${chosen} backend could not be initialized here`);
  }
  await ready();
  assertTrainable();
  return {
    name: chosen,
    reason: name === 'auto' ? 'wasm trains everywhere without installing anything more' : 'asked for',
    ...(chosen === 'wasm' ? { threads: 1 } : {}),
    tried: [],
  };
}
