// Part of the build: writes the models of this package, and face-api's detectors, as ONNX files into dist, from the
// weights as they are now. Each model is compared with TensorFlow.js on two crops before its file is written.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setupBackend } from '@voxface/backend';
import { loadModel } from '@voxface/models/node';
import { exportDetector } from '@voxface/onnx/export';
import { saveOnnx } from '@voxface/onnx/export/node';
import { listPretrained, pretrainedUrl } from '../dist/index.js';

const distOf = (file) => new URL(`../dist/${file}`, import.meta.url);

await setupBackend('wasm');
for (const { name } of listPretrained()) {
  const model = await loadModel(pretrainedUrl(name));
  // Node reads float16; pages, which fetch the file, 8 bits.
  for (const [file, precision] of [
    [`${name}.onnx`, 'float16'],
    [`${name}-int8.onnx`, 'int8'],
  ]) {
    await saveOnnx(model, fileURLToPath(distOf(file)), { precision, check: true });
  }
  model.dispose();
}
for (const network of ['ssd', 'tiny']) {
  writeFileSync(distOf(`detector-${network}.onnx`), await exportDetector({ network, precision: 'float16' }));
}
