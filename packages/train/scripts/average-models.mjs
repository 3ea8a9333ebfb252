// Writes a model whose weights and running statistics lie between those of two, in half precision: the shipped files.
//
//   node packages/train/scripts/average-models.mjs OUT A [B SHARE]
//
// SHARE is B's, 0 to 1. Two runs that go on from the same weights may be averaged; the mean of two runs that do not is noise.
import { setupBackend } from '@voxface/backend';
import { loadModel, saveModel } from '@voxface/models/node';
import { listNetworks } from '../dist/index.js';

const [out, first, second, share = '0.5'] = process.argv.slice(2);
if (first === undefined || !(Number(share) >= 0 && Number(share) <= 1)) {
  console.error('average-models.mjs OUT A [B SHARE], SHARE in 0..1');
  process.exit(2);
}
await setupBackend('wasm');
const model = await loadModel(first);
if (second !== undefined) {
  const own = listNetworks(model).weights;
  const other = listNetworks(await loadModel(second)).weights;
  for (const name of ['estimator', 'regressor']) {
    for (const kind of ['trainable', 'statistics']) {
      const [a, b] = [own[name][kind], other[name][kind]];
      if (a.signature !== b.signature)
        throw new Error(`average-models: the networks of ${first} and ${second} differ`);
      const [from, to] = [await a.read(), await b.read()];
      a.write(from.map((value, i) => value + Number(share) * (to[i] - value)));
    }
  }
}
await saveModel(model, out, { precision: 'float16' });
