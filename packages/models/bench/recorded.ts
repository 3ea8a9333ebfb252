/**
 * One prediction of G and P by layers and as a recorded program, in turns, from a tensor of crops to the landmarks. Best,
 * lower quartile and median of the rounds, ms per face.
 *
 *     node --conditions=voxface-source --import tsx packages/models/bench/recorded.ts [MODEL FOLDER] [BACKEND] [BATCH] [ROUNDS]
 */
import { randomUniform, type Tensor4D, tidy } from '@tensorflow/tfjs-core';
import { recordProgram, setupBackend } from '@voxface/backend';
import { estimateFlatVolumes, regressCoordinates } from '../src/index.ts';
import { loadModel } from '../src/node.ts';

const [folder = 'packages/pretrained/models/small', backend = 'wasm', batch = '1', rounds = '41'] =
  process.argv.slice(2);
await setupBackend(backend as 'wasm');
const model = await loadModel(folder);
const { inputSize } = model.options;
const images = randomUniform([Number(batch), inputSize, inputSize, 3]) as Tensor4D;
const byLayers = () => tidy(() => regressCoordinates(model, estimateFlatVolumes(model, images), images));
const { program } = recordProgram([images], () => [byLayers()], { fold: true });
const ways = { layers: byLayers, program: () => program.run([images])[0] };
const times: Record<string, number[]> = { layers: [], program: [] };
for (let round = -3; round < Number(rounds); round++) {
  for (const [name, run] of Object.entries(ways)) {
    const start = performance.now();
    const points = run();
    await points.data();
    points.dispose();
    if (round >= 0) times[name].push((performance.now() - start) / Number(batch));
  }
}
for (const name of Object.keys(ways)) {
  const all = times[name].sort((a, b) => a - b);
  const [best, quarter, median] = [0, 0.25, 0.5].map((share) =>
    all[Math.floor(share * all.length)].toFixed(1),
  );
  console.log(`${name}: best ${best}, lower quartile ${quarter}, median ${median} ms per face`);
}
process.exit(0);
