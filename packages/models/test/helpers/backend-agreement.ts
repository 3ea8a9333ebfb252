import * as tf from '@tensorflow/tfjs-core';
import type { Pixels } from '@voxface/landmarks';
import { fillWeights, noise, weightsOf } from '@voxface/test-utils';
import { expect } from 'vitest';
import { createFaceShapeModel, createPredictor, type FaceShapeModel, PRESETS } from '../../src/index.ts';

/** A model of 256-px crops that is small enough for the cpu backend, with weights that matter. */
function createModel(): FaceShapeModel {
  const model = createFaceShapeModel({
    depths: [1, 64],
    features: 4,
    regressorChannels: [2, 3, 4, 4, 4],
    regressorInput: 'last',
  });
  fillWeights(model.estimator);
  fillWeights(model.regressor);
  scaleWeights(model, /_bn3\/gamma$/, 0.2);
  scaleWeights(model, /_head\/kernel$/, 0.002);
  scaleWeights(model, /^coordinates\/kernel$/, 0.02);
  return model;
}

/** Keeps activations in the range of a trained network. */
function scaleWeights(model: FaceShapeModel, pattern: RegExp, factor: number): void {
  for (const weight of [...weightsOf(model.estimator), ...weightsOf(model.regressor)]) {
    if (!pattern.test(weight.originalName)) continue;
    const scaled = tf.mul(weight.read(), factor);
    weight.write(scaled);
    scaled.dispose();
  }
}

/** A smooth picture with some noise. */
function picture(size: number): Pixels {
  const random = noise('picture', size * size * 3);
  const data = Uint8Array.from(random, (u, i) => {
    const [x, y] = [Math.floor(i / 3) % size, Math.floor(i / 3 / size)];
    return 128 + 60 * Math.sin(x / 17 + (i % 3)) + 50 * Math.cos(y / 11) + 30 * (u - 0.5);
  });
  return { data, width: size, height: size, channels: 3 };
}

async function predictOn(backend: string): Promise<Float32Array> {
  expect(await tf.setBackend(backend), `${backend} is there`).toBe(true);
  await tf.ready();
  const model = createModel();
  const predictor = createPredictor(model);
  // Box of side 256 / 1.25 around the centre: the crop is the picture, pixel for pixel.
  const box = { x: 127.5 - 102.4, y: 127.5 - 102.4, width: 204.8, height: 204.8 };
  const { landmarks } = await predictor.predict(picture(256), box);
  predictor.dispose();
  model.dispose();
  return landmarks.points;
}

/** Largest difference between two backends' landmarks, in pixels of a 256-px crop. */
export async function disagreement(backend: string, reference: string): Promise<number> {
  const expected = await predictOn(reference);
  const found = await predictOn(backend);
  const spread = Math.max(...expected) - Math.min(...expected);
  expect(spread, 'the landmarks are spread').toBeGreaterThan(20);
  expect(spread, 'the landmarks are near the crop').toBeLessThan(1000);
  return expected.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i])), 0);
}

/** Tensors that `count` predictions leave behind. */
export async function leakOf(count: number, backend: string): Promise<number> {
  await tf.setBackend(backend);
  await tf.ready();
  const model = createFaceShapeModel(PRESETS.tiny);
  const predictor = createPredictor(model, { flip: true });
  const image = picture(64);
  const box = { x: 10, y: 10, width: 40, height: 40 };
  await predictor.predict(image, box);
  const before = tf.memory().numTensors;
  for (let i = 0; i < count; i++) await predictor.predict(image, box);
  const leaked = tf.memory().numTensors - before;
  model.dispose();
  return leaked;
}
