import { fileURLToPath } from 'node:url';
import { type Tensor4D, tensor4d } from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { cropSample } from '@voxface/datasets';
import { open300w } from '@voxface/datasets/node';
import type { FaceShapeModel } from '@voxface/models';
import { loadModel } from '@voxface/models/node';
import { cropsToUnitRange } from '@voxface/predict';
import { findData } from '@voxface/test-utils/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportOnnx } from '../src/export.ts';
import { checkOnnx } from '../src/export-node.ts';

const FACES = 50;
const photos = findData('300w/helen/testset');

describe.skipIf(!photos)('the shipped model on 50 real faces (needs 300w/helen/testset)', () => {
  let model: FaceShapeModel;
  let images: Tensor4D;

  beforeAll(async () => {
    await setupBackend('wasm');
    model = await loadModel(fileURLToPath(new URL('../../pretrained/models/small', import.meta.url)));
    const size = model.options.inputSize;
    const dataset = await open300w(photos!);
    const crops: Uint8Array[] = [];
    for (let i = 0; i < FACES; i++) crops.push(cropSample(await dataset.load(i), { size }).pixels);
    images = tensor4d(cropsToUnitRange(crops, size), [FACES, size, size, 3]);
  });
  afterAll(() => {
    images.dispose();
    model.dispose();
  });

  it('agrees with TensorFlow.js to 1e-4 crop units', async () => {
    const { landmarks, volume } = await checkOnnx(await exportOnnx(model), model, { images });
    expect(landmarks).toBeLessThanOrEqual(1e-4);
    expect(volume).toBeLessThanOrEqual(1e-3);
    console.log(`float32: ${landmarks.toExponential(1)} crop units, volume ${volume!.toExponential(1)}`);
  });

  it('agrees in half precision to 0.2 px of a 256-px crop', async () => {
    const file = await exportOnnx(model, { precision: 'float16', volume: false });
    const { landmarks } = await checkOnnx(file, model, { images });
    expect(256 * landmarks).toBeLessThanOrEqual(0.2);
    console.log(`float16: ${(256 * landmarks).toExponential(1)} px`);
  });
});
