import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { centerDepth, createRandom, type Landmarks, type Pixels } from '@voxface/landmarks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFaceShapeModel, createPredictor, type FaceShapeModel } from '../src/index.ts';

let model: FaceShapeModel;
beforeAll(async () => {
  await tf.setBackend('cpu');
  model = createFaceShapeModel('tiny');
});
afterAll(() => model.dispose());

function noise(width: number, height: number, channels: 3 | 4 = 3): Pixels {
  const random = createRandom(width);
  const data = Uint8Array.from({ length: width * height * channels }, () => random.integer(256));
  return { data, width, height, channels };
}

function expectClose(a: Landmarks, b: Landmarks, tolerance: number): void {
  const worst = a.points.reduce((most, value, i) => Math.max(most, Math.abs(value - b.points[i])), 0);
  expect(worst).toBeLessThan(tolerance);
}

describe('createPredictor', () => {
  it('finds the same landmarks alone and in a batch, and leaks nothing in 20 predictions', async () => {
    const start = tf.memory();
    const predictor = createPredictor(model);
    const image = noise(60, 50);
    const boxes = [0, 1, 2].map((i) => ({ x: 5 * i, y: 4 * i, width: 30, height: 28 }));
    const batch = await predictor.predictBatch(boxes.map((box) => ({ image, box })));
    await predictor.predict(image, boxes[0]);
    const before = tf.memory().numTensors;
    for (let i = 0; i < 20; i++) {
      const { landmarks } = await predictor.predict(image, boxes[i % 3]);
      expectClose(landmarks, batch[i % 3].landmarks, 1e-3);
      expect(centerDepth(landmarks).points[2]).toBeCloseTo(landmarks.points[2], 4);
    }
    expect(tf.memory().numTensors).toBe(before);
    predictor.dispose();
    expect(tf.memory()).toMatchObject({ numTensors: start.numTensors, numDataBuffers: start.numDataBuffers });
  });

  it('follows the weights of its model', async () => {
    const predictor = createPredictor(model);
    const crop = new Uint8Array(32 * 32 * 3).map((_, i) => (i * 7) % 256);
    const predict = async () => Array.from((await predictor.predictUnit([crop]))[0].points);
    const [first, second] = [await predict(), await predict()];
    expect(second).toEqual(first);
    const bias = model.regressor.trainableWeights.at(-1)!;
    const old = bias.read().clone();
    bias.write(tf.add(old, 1));
    const moved = await predict();
    expect(moved.map((value, i) => value - first[i])).toEqual(first.map(() => expect.closeTo(1, 4)));
    bias.write(old);
    expect(await predict()).toEqual(first);
    predictor.dispose();
  });

  it('says which crop has the wrong size', async () => {
    await expect(createPredictor(model).predictUnit([new Uint8Array(10)])).rejects.toThrow(
      /expected 32 x 32 x 3 bytes, got 10 at crop 0/,
    );
  });
});
