import { enableProdMode, setBackend } from '@tensorflow/tfjs-core';
import { registerNativeKernels, setupBackend } from '@voxface/backend';
import { assertConformance, runConformance, summarizeConformance } from '@voxface/backend/conformance';
import { loadTfjsNode } from '@voxface/backend/setup-node';

/**
 * Loads a build of the native backend and runs the conformance suite on it.
 *
 * @throws with one line that names the first failure.
 */
export async function checkNativeNode(build: { gpu: boolean; tensorflowVersion: string }): Promise<void> {
  enableProdMode();
  await setupBackend('cpu');
  const { gpu, tensorflowVersion } = build;
  const { backendName, usesGpu } = loadTfjsNode({ gpu, tensorflow: tensorflowVersion });
  if (!usesGpu) registerNativeKernels();
  await setBackend(backendName);
  const report = await runConformance({ backend: backendName });
  const list = `voxface conformance --backend ${gpu ? 'node-gpu' : 'node'}`;
  assertConformance(report, `'${list}' lists them, setup-node --tensorflow VERSION takes another TensorFlow`);
  console.error(summarizeConformance(report));
}
