import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  boxOf,
  centerDepth,
  createRandom,
  cropAffine,
  flipLandmarks,
  fromUnit,
  IBUG_68,
  type Landmarks,
  MEAN_FACE_68,
  type Pixels,
  toUnit,
} from '@voxface/landmarks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CropRunner,
  createCropPredictor,
  createFaceShapeModel,
  createPredictor,
  type FaceShapeModel,
  toPixels,
} from '../src/index.ts';

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

const MEAN_UNIT = toUnit(MEAN_FACE_68, cropAffine(boxOf(MEAN_FACE_68)));

/** Answers every crop with the mean face, shifted right by the brightness of the crop's first pixel. */
function meanFaceRunner(calls: number[] = []): CropRunner {
  return {
    inputSize: 16,
    landmarks: 68,
    scheme: 'ibug-68',
    run: async (crops) => {
      calls.push(crops.length);
      return crops.flatMap((crop) =>
        Array.from(MEAN_UNIT.points, (value, i) => (i % 3 === 0 ? value + crop[0] / 2550 : value)),
      );
    },
  };
}

function expectClose(a: Landmarks, b: Landmarks, tolerance: number): void {
  const worst = a.points.reduce((most, value, i) => Math.max(most, Math.abs(value - b.points[i])), 0);
  expect(worst).toBeLessThan(tolerance);
}

describe('createCropPredictor', () => {
  const black: Pixels = { data: new Uint8Array(100 * 80 * 3), width: 100, height: 80, channels: 3 };
  const box = { x: 30, y: 20, width: 40, height: 40 };

  it('maps crop coordinates back to image pixels and reads the pose', async () => {
    const face = await createCropPredictor(meanFaceRunner()).predict(black, box);
    expectClose(face.landmarks, fromUnit(MEAN_UNIT, cropAffine(box)), 1e-4);
    const found = boxOf(face.landmarks);
    expect(found.x + found.width / 2).toBeCloseTo(50, 3);
    expect(Math.max(found.width, found.height)).toBeCloseTo(40, 3);
    expect(Math.abs(face.pose.yaw) + Math.abs(face.pose.pitch) + Math.abs(face.pose.roll)).toBeLessThan(1e-2);
  });

  it('averages with the mirrored crop', async () => {
    const size = 16;
    const crop = new Uint8Array(size * size * 3);
    crop[0] = 200;
    crop[3 * (size - 1)] = 100;
    const [unit] = await createCropPredictor(meanFaceRunner(), { flip: true }).predictUnit([crop]);
    const shifted = (by: number): Landmarks<3> => ({
      points: MEAN_UNIT.points.map((v, i) => (i % 3 === 0 ? v + by : v)),
      dims: 3,
    });
    const plain = shifted(200 / 2550);
    const mirrored = flipLandmarks(shifted(100 / 2550), IBUG_68, 1);
    const mean = { points: plain.points.map((v, i) => (v + mirrored.points[i]) / 2), dims: 3 as const };
    expectClose(unit, mean, 1e-6);
  });

  it('refines around the first landmarks', async () => {
    const calls: number[] = [];
    const face = await createCropPredictor(meanFaceRunner(calls), { refine: true }).predict(black, {
      x: 0,
      y: 0,
      width: 80,
      height: 20,
    });
    expect(calls).toEqual([1, 1]);
    expect(Math.max(face.box.width, face.box.height)).toBeCloseTo(80, 3);
    expect(face.box.height).toBeGreaterThan(60);
  });

  it('cuts thirty faces into batches, in order, and takes none', async () => {
    const calls: number[] = [];
    const predictor = createCropPredictor(meanFaceRunner(calls), { batchSize: 8 });
    const items = Array.from({ length: 30 }, (_, i) => ({
      image: black,
      box: { x: i, y: 10, width: 20, height: 20 },
    }));
    const faces = await predictor.predictBatch(items);
    expect(calls).toEqual([8, 8, 8, 6]);
    faces.forEach((face, i) => {
      const found = boxOf(face.landmarks);
      expect(found.x + found.width / 2).toBeCloseTo(i + 10, 3);
    });
    expect(await predictor.predictBatch([])).toEqual([]);
  });

  it('takes faces at the border, outside the picture and of a few pixels', async () => {
    const predictor = createCropPredictor(meanFaceRunner());
    for (const place of [
      { x: -20, y: -20, width: 40, height: 40 },
      { x: 90, y: 70, width: 40, height: 40 },
      { x: 500, y: 500, width: 10, height: 10 },
      { x: 50, y: 40, width: 2, height: 2 },
    ]) {
      const { landmarks } = await predictor.predict(black, place);
      expectClose(landmarks, fromUnit(MEAN_UNIT, cropAffine(place)), 1e-3);
    }
  });

  it('refuses empty boxes, unknown schemes with flip, and use after dispose', async () => {
    const predictor = createCropPredictor(meanFaceRunner());
    await expect(predictor.predict(black, { x: 0, y: 0, width: 0, height: 0 })).rejects.toThrow(
      /positive finite/,
    );
    await expect(predictor.predict(black, { x: Number.NaN, y: 0, width: 9, height: 9 })).rejects.toThrow(
      /cropAffine/,
    );
    expect(() => createCropPredictor({ ...meanFaceRunner(), scheme: 'other' }, { flip: true })).toThrow(
      /flip needs a scheme/,
    );
    predictor.dispose();
    await expect(predictor.predict(black, box)).rejects.toThrow(/was disposed/);
  });
});

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

describe('toPixels', () => {
  it('passes pixels, reads image data, decoded buffers and tensors', async () => {
    const rgb = noise(5, 4);
    expect(await toPixels(rgb)).toBe(rgb);
    const rgba = noise(5, 4, 4);
    const data = new Uint8ClampedArray(rgba.data);
    const imageData = { data, width: 5, height: 4, colorSpace: 'srgb' } as ImageData;
    expect(await toPixels(imageData)).toEqual({ data, width: 5, height: 4, channels: 4 });
    const grey = await toPixels({ data: Uint8Array.of(7, 9), info: { width: 2, height: 1, channels: 1 } });
    expect(Array.from(grey.data)).toEqual([7, 7, 7, 9, 9, 9]);
    const whole = tf.tensor3d(Array.from(rgb.data), [4, 5, 3], 'int32');
    const unit = tf.div(whole, 255) as tf.Tensor3D;
    expect(Array.from((await toPixels(whole)).data)).toEqual(Array.from(rgb.data));
    expect(Array.from((await toPixels(unit)).data)).toEqual(Array.from(rgb.data));
    tf.dispose([whole, unit]);
  });

  it('says what it cannot read', async () => {
    await expect(toPixels({ data: new Uint8Array(5), width: 2, height: 1, channels: 3 })).rejects.toThrow(
      /got 5/,
    );
    await expect(toPixels({} as never)).rejects.toThrow(/expected Pixels/);
    const flat = tf.zeros([2, 2, 1]) as tf.Tensor3D;
    await expect(toPixels(flat)).rejects.toThrow(/\[h, w, 3 or 4\], got \[2, 2, 1\]/);
    flat.dispose();
  });
});
