import { enableProdMode } from '@tensorflow/tfjs-core';
import { type BackendInfo, type BackendName, setupBackend } from '@voxface/backend';
import { UsageError } from './errors.ts';

export const NODE_BACKENDS: readonly string[] = ['auto', 'cpu', 'wasm', 'webgpu', 'node', 'node-gpu'];

/**
 * Prepares a backend by name.
 * @throws UsageError for a name that does not exist in Node.
 */
export async function chooseBackend(name: string): Promise<BackendInfo> {
  if (!NODE_BACKENDS.includes(name)) {
    throw new UsageError(
      `--backend: expected one of ${NODE_BACKENDS.join(', ')} (localize and evaluate: also onnx), got ${name}`,
    );
  }
  enableProdMode();
  return setupBackend(name as BackendName);
}
