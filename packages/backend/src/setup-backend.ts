import { getBackend, getGradient, getKernel, ready, setBackend } from '@tensorflow/tfjs-core';

import { registerCpuKernels } from './cpu/cpu-kernels.ts';
import { prepareWebgl, prepareWebgpu } from './setup/prepare-gpu.ts';
import { prepareNode } from './setup/prepare-node.ts';
import { prepareWasm } from './setup/prepare-wasm.ts';
import {
  BACKEND_NAMES,
  type BackendName,
  type ConcreteBackend,
  isNode,
  type PreparedBackend,
  type SetupOptions,
} from './setup/prepared-backend.ts';

/** The backend that was chosen. */
export interface BackendInfo {
  /** Name under which TensorFlow.js knows it ('tensorflow' for 'node' and 'node-gpu'). */
  name: string;
  /** Why it was chosen. */
  reason: string;
  /** Threads it computes with, where known. */
  threads?: number;
  /** Backends that were tried before it, and why each was passed over. */
  tried: { name: string; problem: string }[];
}

/** Fastest first. */
const AUTO_IN_NODE: readonly ConcreteBackend[] = ['node-gpu', 'webgpu', 'node', 'wasm', 'cpu'];
const AUTO_IN_BROWSER: readonly ConcreteBackend[] = ['webgpu', 'webgl', 'wasm', 'cpu'];

function prepare(name: ConcreteBackend, options: SetupOptions, isAuto: boolean): Promise<PreparedBackend> {
  switch (name) {
    case 'cpu':
      return prepareCpu();
    case 'wasm':
      return prepareWasm(options);
    case 'webgl':
      return prepareWebgl(isAuto);
    case 'webgpu':
      return prepareWebgpu(isAuto);
    default:
      return prepareNode(name === 'node-gpu', options);
  }
}

/**
 * Loads a TensorFlow.js backend, makes it current and able to train: gradients are registered, missing and wrong kernels
 * replaced. 'auto' takes the first that works here of node-gpu, webgpu, node, wasm, cpu (in the browser webgpu, webgl,
 * wasm, cpu), passing over GPUs that are emulated on the CPU; what it passed over and why is in `tried`.
 *
 * @throws when the backend asked for cannot be used here; the message says why and what to do.
 * @example
 * ```js
 * import { setupBackend } from '@voxface/backend';
 * import * as tf from '@tensorflow/tfjs-core';
 *
 * const { name } = await setupBackend('cpu');
 * console.log(name, tf.getBackend()); // => cpu cpu
 * ```
 */
export async function setupBackend(
  name: BackendName = 'auto',
  options: SetupOptions = {},
): Promise<BackendInfo> {
  if (!BACKEND_NAMES.includes(name)) {
    throw new Error(`setupBackend: the backend must be one of ${BACKEND_NAMES.join(', ')}, got '${name}'`);
  }
  // TensorFlow.js registers its gradients with this package, not with its core.
  await import('@tensorflow/tfjs-layers');
  const isAuto = name === 'auto';
  const candidates = isAuto ? (isNode() ? AUTO_IN_NODE : AUTO_IN_BROWSER) : [name];
  const tried: BackendInfo['tried'] = [];
  for (const candidate of candidates) {
    try {
      const { name: current, threads, detail } = await prepare(candidate, options, isAuto);
      await ready();
      assertTrainable();
      const reason = isAuto ? `the fastest that trains here: ${detail}` : `asked for: ${detail}`;
      return { name: current, reason, ...(threads === undefined ? {} : { threads }), tried };
    } catch (error) {
      const problem = (error as Error).message;
      if (!isAuto) {
        const fallback = candidate === 'wasm' || candidate === 'cpu' ? "'cpu'" : "'auto' or 'wasm'";
        throw new Error(`setupBackend: '${name}' must be usable here: ${problem} (or take ${fallback})`, {
          cause: error,
        });
      }
      tried.push({ name: candidate, problem });
    }
  }
  throw new Error(
    `setupBackend: some backend must work, none did: ${tried.map((t) => `${t.name}: ${t.problem}`).join('; ')}`,
  );
}

/** Makes the plain JavaScript backend current, with its wrong kernels replaced. */
export async function prepareCpu(): Promise<PreparedBackend> {
  await import('@tensorflow/tfjs-backend-cpu');
  registerCpuKernels();
  if (!(await setBackend('cpu'))) throw new Error('it could not be initialized');
  return { name: 'cpu', threads: 1, detail: 'plain JavaScript works everywhere' };
}

/** Kernels that training a convolutional network runs beyond those of prediction. */
const TRAINING_KERNELS = [
  'Conv2DBackpropFilter',
  'Conv2DBackpropInput',
  'Conv3DBackpropFilterV2',
  'Conv3DBackpropInputV2',
  'MaxPoolGrad',
  'UnsortedSegmentSum',
];

/**
 * Checks that the current backend can train: gradients and the kernels behind them are registered.
 *
 * @throws when gradients are not registered, or the backend lacks a kernel.
 */
export function assertTrainable(): void {
  const backend = getBackend();
  if (!getGradient('Conv2D') || !getGradient('Sum')) {
    throw new Error(
      "assertTrainable: gradients must be registered, found none (call setupBackend, or import '@tensorflow/tfjs-layers')",
    );
  }
  const missing = TRAINING_KERNELS.filter((name) => !getKernel(name, backend));
  if (missing.length > 0) {
    throw new Error(
      `assertTrainable: the backend must have every training kernel, ${backend} lacks ${missing.join(', ')} ` +
        "(choose it with setupBackend from '@voxface/backend')",
    );
  }
}
