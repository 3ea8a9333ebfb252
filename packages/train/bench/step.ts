import { memory } from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { createRunNetworks } from '../src/networks.ts';
import type { PhaseName } from '../src/phases.ts';
import { createRunReplica } from '../src/replica.ts';
import { benchConfig } from './bench-config.ts';
import { noiseCrops } from './noise-crops.ts';
import { profileKernels } from './profile-kernels.ts';

const [
  preset = 'small',
  batch = '12',
  backend = 'wasm',
  kinds = 'volume,coordinate,joint',
  execution = 'auto',
] = process.argv.slice(2);
const batchSize = Number(batch);
const config = benchConfig(preset, { batchSize, backend, execution });
if (backend !== 'current') await setupBackend(config.backend as never);
const networks = createRunNetworks(config);
const replica = createRunReplica(config, networks);
const { inputSize, landmarks } = networks.model.options;
const samples3d = noiseCrops(batchSize, inputSize, landmarks);
const profile = profileKernels();
const STEPS = 8;
/** The first step records, the second lets the native library plan its graph. */
const WARM = 2;
for (const phase of kinds.split(',') as PhaseName[]) {
  let best = Number.POSITIVE_INFINITY;
  let cpu = process.cpuUsage();
  for (let step = 0; step < WARM + STEPS; step++) {
    if (step === WARM) {
      profile.take();
      replica.takeTimes();
      cpu = process.cpuUsage();
    }
    const start = performance.now();
    replica.load([{ samples3d, samples2d: [] }]);
    await replica.compute(phase, 0);
    profile.endStep();
    if (step >= WARM) best = Math.min(best, performance.now() - start);
  }
  const used = process.cpuUsage(cpu);
  const kernels = profile.take();
  const parts = Object.entries(replica.takeTimes()).map(([k, v]) => `${k} ${(v / STEPS).toFixed(1)}`);
  const idle = kernels.reduce((sum, kernel) => sum + kernel.milliseconds, 0);
  console.log(
    `${phase}: mean ms ${parts.join(', ')}; best step ${best.toFixed(0)}; cpu ${((used.user + used.system) / STEPS / 1000).toFixed(0)}; kernels at their best ${idle.toFixed(0)}; ${memory().numTensors} tensors`,
  );
  for (const { kernel, calls, milliseconds } of kernels.slice(0, 16)) {
    console.log(
      `   ${kernel.padEnd(28)} ${String(calls).padStart(5)} calls ${milliseconds.toFixed(1).padStart(8)} ms`,
    );
  }
}
