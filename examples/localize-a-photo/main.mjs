import { setupBackend } from '@voxface/backend';
import { readImage } from '@voxface/datasets/node';
import { createPredictor } from '@voxface/models';
import { createFaceApiDetector } from '@voxface/models/face-api';
import { loadModel } from '@voxface/models/node';
import { pretrainedUrl } from '@voxface/pretrained';

const [photo] = process.argv.slice(2);
if (!photo) {
  console.error('usage: node main.mjs PHOTO');
  process.exit(2);
}

await setupBackend('wasm');
const image = await readImage(photo, { orient: true });
const detector = await createFaceApiDetector({ network: 'tiny' });
const predictor = createPredictor(await loadModel(pretrainedUrl('small')));
for (const { box, turn, score } of await detector.detect(image)) {
  const { landmarks, pose } = await predictor.predict(image, box, turn);
  const angles = `yaw ${pose.yaw.toFixed(0)}, pitch ${pose.pitch.toFixed(0)}, roll ${pose.roll.toFixed(0)}`;
  const nose = Array.from(landmarks.points.subarray(3 * 30, 3 * 31), (v) => v.toFixed(1));
  console.log(`face ${score.toFixed(2)}: ${angles}; nose tip at ${nose.join(', ')}`);
}
