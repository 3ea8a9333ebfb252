import { writeFile } from 'node:fs/promises';
import { enableProdMode, setBackend } from '@tensorflow/tfjs-core';
import { registerNativeKernels, setupBackend } from '@voxface/backend';
import { assertConformance, runConformance, summarizeConformance } from '@voxface/backend/conformance';
import { loadTfjsNode } from '@voxface/backend/setup-node';
import { chooseBackend } from '../photos/open-model.ts';

/** Runs the conformance suite on a backend of this machine; true if everything passed. */
export async function checkBackend(flags: {
  backend: string;
  only?: string;
  json?: string;
}): Promise<boolean> {
  await setupBackend('cpu');
  const { name } = await chooseBackend(flags.backend);
  const report = await runConformance({
    backend: name,
    only: flags.only,
    log: (line) => console.error(line),
  });
  console.log(summarizeConformance(report));
  if (flags.json) await writeFile(flags.json, `${JSON.stringify(report, null, 1)}\n`);
  return report.passed;
}

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
