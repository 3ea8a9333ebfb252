import { setupBackend } from '@voxface/backend';
import { openAflw20003d } from '@voxface/datasets/node';
import { boxOf } from '@voxface/landmarks';
import { createAccumulator } from '@voxface/metrics';
import { createPredictor } from '@voxface/models';
import { loadModel } from '@voxface/models/node';
import { pretrainedUrl } from '@voxface/pretrained';

const [root] = process.argv.slice(2);
if (!root) {
  console.error('usage: node main.mjs FOLDER');
  process.exit(2);
}

await setupBackend('wasm');
const dataset = await openAflw20003d(root);
const predictor = createPredictor(await loadModel(pretrainedUrl('small')));
const protocols = ['aflw2000-3d/68/2d', 'aflw2000-3d/68/3d'];
const accumulators = protocols.map((protocol) => createAccumulator(protocol));
for (let i = 0; i < dataset.length; i++) {
  const { id, image, landmarks: target, yaw } = await dataset.load(i);
  const { landmarks: preds } = await predictor.predict(image, boxOf(target));
  for (const accumulator of accumulators) accumulator.update({ id, preds, target, yaw });
}
for (const accumulator of accumulators) {
  const { protocol, count, nme } = accumulator.compute();
  console.log(`${protocol}: NME ${(100 * nme.mean).toFixed(2)} % of ${count} faces`);
}
