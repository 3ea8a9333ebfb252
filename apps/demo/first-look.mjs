// The faces of the sample that the page opens on, found by the networks that the page loads; printed as JSON when it is built.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createFaceLandmarker } from 'voxface';

const web = new URL('./web/', import.meta.resolve('voxface'));
const sharp = createRequire(fileURLToPath(web))('sharp');
const drawing = readFileSync(new URL('./public/drawn-three.svg', import.meta.url));
const landmarker = await createFaceLandmarker({
  model: new URL('small-int8.onnx', web),
  detector: new URL('detector-tiny.onnx', web),
  runtime: 'onnxruntime-web',
});
const found = await landmarker.detect(await sharp(drawing).png().toBuffer());
landmarker.dispose();
const faces = found.map(({ box, score, confidence, pose, landmarks }) => ({
  box,
  score,
  confidence,
  pose,
  points: Array.from(landmarks.points, (value) => Math.round(10 * value) / 10),
}));
console.log(JSON.stringify(faces));
