import { getBackend, memory } from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { createRandom } from '@voxface/landmarks';
import { parseTrainingConfig } from '../src/config.ts';
import { createRunNetworks, createRunReplica } from '../src/create-run.ts';
import { profileKernels } from './profile-kernels.ts';

const [preset = 'small', batch = '12', backend = 'wasm', kinds = 'volume,coordinate,joint'] =
  process.argv.slice(2);
const batchSize = Number(batch);
const config = parseTrainingConfig({
  name: 'bench',
  output: 'none',
  model: preset,
  batchSize,
  backend,
  data: { train3d: [{ format: 'packed', root: 'none' }] },
  stages: [{ kind: 'pretrain', steps: 1 }],
});
if (backend !== 'current') await setupBackend(config.backend as never);
const networks = createRunNetworks(config);
const replica = createRunReplica(config, networks);
const { inputSize, landmarks } = networks.model.options;
const random = createRandom(1);
const samples3d = Array.from({ length: batchSize }, (_, i) => ({
  id: String(i),
  size: inputSize,
  mirrored: false,
  crop: [1, 0, 0, 1, 0, 0] as const,
  pixels: Uint8Array.from({ length: inputSize * inputSize * 3 }, () => random.integer(256)),
  landmarks: {
    dims: 3 as const,
    points: Float32Array.from({ length: landmarks * 3 }, (_, k) =>
      k % 3 === 2 ? random.uniform(-0.3, 0.3) : random.uniform(0.1, 0.9),
    ),
  },
}));
const read = profileKernels(getBackend());
for (const phase of kinds.split(',')) {
  for (let step = 0; step < 4; step++) {
    if (step === 1) {
      read();
      replica.takeTimes();
    }
    replica.load([{ samples3d, samples2d: [] }]);
    await replica.compute(phase as never, 0);
  }
  const kernels = read();
  const times = replica.takeTimes();
  console.log(
    phase,
    Object.entries(times)
      .map(([k, v]) => `${k} ${(v / 3).toFixed(1)} ms`)
      .join(', '),
    'kernels',
    (kernels.reduce((s, k) => s + k.milliseconds, 0) / 3).toFixed(0),
    'tensors',
    memory().numTensors,
  );
  for (const k of kernels.slice(0, 14))
    console.log(
      `   ${k.kernel.padEnd(30)} ${(k.calls / 3).toFixed(0).padStart(5)} calls ${(k.milliseconds / 3).toFixed(1).padStart(8)} ms`,
    );
}
