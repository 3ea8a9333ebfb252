// Writes a wider model that computes what a narrower one does, to go on training from (Net2Net's wider networks, Chen et al. 2016).
//
//   node packages/train/scripts/grow-model.mjs OUT FROM PRESET|'{"features": 96, ...}' [SEED]
//
// Both have the same layers. A channel of the narrow network becomes one or more of the wide one; the weights that read its copies
// are shares of its own, drawn at random, so that the sums stay what they were and the copies part in training.
import { setupBackend } from '@voxface/backend';
import { createRandom } from '@voxface/landmarks';
import { createFaceShapeModel, presetOptions } from '@voxface/models';
import { loadModel, saveModel } from '@voxface/models/node';
import { listNetworks } from '../dist/index.js';

const [out, from, to, seed = '0'] = process.argv.slice(2);
if (to === undefined) {
  console.error('grow-model.mjs OUT FROM PRESET [SEED]');
  process.exit(2);
}
await setupBackend('cpu');
const narrow = await loadModel(from);
const wide = createFaceShapeModel({
  ...narrow.options,
  stem: undefined,
  stemResiduals: undefined,
  ...(to.startsWith('{') ? JSON.parse(to) : presetOptions(to)),
  volume: narrow.options.volume,
  volumeGain: narrow.options.volumeGain,
});
const random = createRandom(Number(seed));
for (const name of ['estimator', 'regressor']) {
  for (const kind of ['trainable', 'statistics']) {
    const [a, b] = [narrow, wide].map((model) => listNetworks(model).weights[name][kind]);
    if (a.variables.length !== b.variables.length)
      throw new Error(`grow-model: the ${name}s have different layers`);
    const values = await a.read();
    const grown = new Float32Array(b.size);
    let [read, write] = [0, 0];
    a.variables.forEach((variable, i) => {
      const target = b.variables[i];
      const part = widen(values.subarray(read, read + variable.size), variable.shape, target.shape);
      grown.set(part, write);
      read += variable.size;
      write += target.size;
    });
    b.write(grown);
  }
}
await saveModel(wide, out);

/** One weight at its new shape: the last axis is written to (a bias, a kernel's filters), the one before it is read from. */
function widen(values, shape, to) {
  const writes = channelMap(shape.at(-1), to.at(-1));
  if (shape.length === 1) return writes.map((c) => values[c]);
  const reads = channelMap(shape.at(-2), to.at(-2));
  const [taps, inputs, outputs] = [values.length / shape.at(-1) / shape.at(-2), to.at(-2), to.at(-1)];
  const result = new Float32Array(taps * inputs * outputs);
  for (let tap = 0; tap < taps; tap++) {
    for (let o = 0; o < outputs; o++) {
      const shares = drawShares(reads);
      for (let i = 0; i < inputs; i++) {
        const value = values[(tap * shape.at(-2) + reads[i]) * shape.at(-1) + writes[o]];
        result[(tap * inputs + i) * outputs + o] = value * shares[i];
      }
    }
  }
  return result;
}

/** Which narrow channel each wide one copies: neighbours copy the same, so that halves and quarters of a list of channels agree. */
function channelMap(from, to) {
  if (to < from) throw new Error(`grow-model: ${from} channels do not fit ${to}`);
  return Array.from({ length: to }, (_, i) => Math.floor((i * from) / to));
}

/** Shares of 1 for the copies of every channel. */
function drawShares(reads) {
  const shares = reads.map(() => random.uniform(0.5, 1.5));
  const sums = new Map();
  reads.forEach((channel, i) => {
    sums.set(channel, (sums.get(channel) ?? 0) + shares[i]);
  });
  return shares.map((share, i) => share / sums.get(reads[i]));
}
