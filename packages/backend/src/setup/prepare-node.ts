import { setBackend } from '@tensorflow/tfjs-core';
import { registerNativeKernels } from '../native/native-kernels.ts';
import { importHidden, isNode, type PreparedBackend, type SetupOptions } from './prepared-backend.ts';

type Loader = typeof import('../setup-node/load-tfjs-node.ts');

/** The module beside the entry of this package that loads TensorFlow; it imports Node's own modules. */
function loaderUrl(): string {
  const here = import.meta.url;
  // In the built package everything lies in one folder; from source this file is one folder further down.
  return here.endsWith('.ts')
    ? new URL('../setup-node.ts', here).href
    : here.replace(/[^/]*$/, 'setup-node.js');
}

/**
 * Makes TensorFlow's native backend current, through `@tensorflow/tfjs-node` or `@tensorflow/tfjs-node-gpu`.
 *
 * @throws when the package is missing or cannot be loaded, or `gpu` is asked for and TensorFlow finds none.
 */
export async function prepareNode(gpu: boolean, { threads }: SetupOptions): Promise<PreparedBackend> {
  if (!isNode()) throw new Error('it runs in Node only');
  const { loadTfjsNode } = await importHidden<Loader>(loaderUrl());
  const loaded = loadTfjsNode({ gpu, threads });
  if (gpu && !loaded.usesGpu)
    throw new Error(
      'TensorFlow finds no GPU that its CUDA can use; nvidia-smi must list one, with a driver for CUDA 12',
    );
  if (!loaded.usesGpu) registerNativeKernels();
  if (!(await setBackend(loaded.backendName))) throw new Error('TensorFlow could not be initialized');
  const version = loaded.tensorflowVersion ? ` ${loaded.tensorflowVersion}` : '';
  return {
    name: loaded.backendName,
    threads,
    detail: `native TensorFlow${version}${gpu ? ' on the GPU' : ''}`,
  };
}
