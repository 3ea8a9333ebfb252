// Landmarks of @vladmandic/face-api's 68-point network on an annotated set, as a file for `voxface evaluate --predictions`.
// Usage (after a build): node scripts/bench/face-api-predictions.mjs KIND ROOT OUT.json
// The network gets the box it was made for: face-api's own SSD box that overlaps most with the true landmarks; where its
// detector misses the face, the true box enlarged to the median SSD box (see FACE_API_CALIBRATION in @voxface/models).
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const require = createRequire(new URL('../../packages/voxface/package.json', import.meta.url));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const [kind, root, out] = process.argv.slice(2);
if (!out) {
  console.error('usage: node scripts/bench/face-api-predictions.mjs KIND ROOT OUT.json');
  process.exit(2);
}

// face-api brings no TensorFlow.js of its own: a folder where `npm i @vladmandic/face-api @tensorflow/tfjs
// @tensorflow/tfjs-backend-wasm` was run, outside this workspace.
const { FACE_API_FOLDER } = process.env;
if (!FACE_API_FOLDER) {
  console.error(
    'set FACE_API_FOLDER to a folder with @vladmandic/face-api, @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm',
  );
  process.exit(2);
}
const requirePeer = createRequire(join(FACE_API_FOLDER, 'package.json'));
const folder = dirname(requirePeer.resolve('@vladmandic/face-api/package.json'));
const faceapi = requirePeer(join(folder, 'dist/face-api.node-wasm.js'));
const wasm = dirname(requirePeer.resolve('@tensorflow/tfjs-backend-wasm/package.json'));
faceapi.tf.setWasmPaths(`${join(wasm, 'dist')}/`);
await faceapi.tf.setBackend('wasm');
await faceapi.tf.ready();
await faceapi.nets.ssdMobilenetv1.loadFromDisk(join(folder, 'model'));
await faceapi.nets.faceLandmark68Net.loadFromDisk(join(folder, 'model'));

const { openDataset } = await load('@voxface/datasets/node');
const { boxOf } = await load('@voxface/landmarks');
const { FACE_API_CALIBRATION } = await load('@voxface/models/face-api');
const { shift, scale } = FACE_API_CALIBRATION.ssd;

const dataset = await openDataset(root, { kind });
const predictions = {};
let detected = 0;
for (let i = 0; i < dataset.length; i++) {
  const { id, image, landmarks } = await dataset.load(i);
  const truth = boxOf(landmarks);
  const tensor = faceapi.tf.tensor3d(image.data, [image.height, image.width, 3], 'int32');
  const found = await faceapi.detectAllFaces(
    tensor,
    new faceapi.SsdMobilenetv1Options({ minConfidence: 0.3 }),
  );
  const best = found
    .map(({ box }) => ({ box, overlap: intersectionOverUnion(box, truth) }))
    .sort((a, b) => b.overlap - a.overlap)[0];
  const box = best && best.overlap > 0.2 ? best.box : ssdLikeBox(truth);
  if (box === best?.box) detected++;
  const [crop] = await faceapi.extractFaceTensors(tensor, [
    new faceapi.Rect(
      Math.max(0, box.x),
      Math.max(0, box.y),
      Math.min(box.width, image.width - Math.max(0, box.x)),
      Math.min(box.height, image.height - Math.max(0, box.y)),
    ),
  ]);
  const result = await faceapi.nets.faceLandmark68Net.detectLandmarks(crop);
  const left = Math.floor(Math.max(0, box.x));
  const top = Math.floor(Math.max(0, box.y));
  predictions[id] = result.positions.map(({ x, y }) => [x + left, y + top]);
  tensor.dispose();
  crop.dispose();
  if (i % 20 === 19) console.error(`${i + 1}/${dataset.length}`);
}
writeFileSync(out, JSON.stringify(predictions));
console.log(`${out}: ${dataset.length} faces, ${detected} with face-api's own box`);

function intersectionOverUnion(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  return (width * height) / (a.width * a.height + b.width * b.height - width * height);
}

function ssdLikeBox(box) {
  const width = box.width / scale[0];
  const height = box.height / scale[1];
  const x = box.x + box.width / 2 - shift[0] * width - width / 2;
  const y = box.y + box.height / 2 - shift[1] * height - height / 2;
  return { x, y, width, height };
}
