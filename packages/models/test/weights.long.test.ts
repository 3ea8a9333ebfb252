import '@tensorflow/tfjs-backend-cpu';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { ConfidenceCalibration } from '@voxface/predict';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createFaceShapeModel,
  decodeModelFile,
  encodeModelFile,
  estimateVolumes,
  type FaceShapeModel,
  loadModelFromUrl,
  PRESETS,
  regressCoordinates,
} from '../src/index.ts';
import { loadModel, saveModel } from '../src/node.ts';
import { toHalf } from '../src/weights/encode-network.ts';

let folder: string;
let model: FaceShapeModel;
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = await mkdtemp(join(tmpdir(), 'voxface-weights-'));
  model = createFaceShapeModel({ ...PRESETS.tiny, seed: 3 });
});
afterAll(async () => {
  model.dispose();
  await rm(folder, { recursive: true });
});

function predict(shape: FaceShapeModel): Float32Array {
  return tf.tidy(() => {
    const images = tf.randomUniform([1, 32, 32, 3], 0, 1, 'float32', 7) as tf.Tensor4D;
    const volumes = estimateVolumes(shape, images);
    const points = regressCoordinates(shape, volumes, images);
    return tf.concat([points, ...volumes].map((t) => tf.reshape(t, [-1]))).dataSync();
  }) as Float32Array;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}

describe('saveModel and loadModel', () => {
  it.each([
    ['float32', 0],
    ['float16', 2e-3],
    ['uint8', 2e-2],
  ] as const)('round-trips %s within %f', async (precision, tolerance) => {
    const path = join(folder, precision);
    await saveModel(model, path, { precision });
    const loaded = await loadModel(path);
    expect(loaded.options).toEqual(model.options);
    const difference = largestDifference(predict(loaded), predict(model));
    expect(difference).toBeLessThanOrEqual(tolerance);
    if (precision !== 'float32') expect(difference).toBeGreaterThan(0);
    loaded.dispose();
  });

  it('keeps the confidence calibration, in a folder and in a file', async () => {
    const confidence: ConfidenceCalibration = {
      version: 1,
      colors: [0.1, 0.2],
      shape: [0.5],
      face: { bias: -1.5, weights: [2] },
      accurate: [{ bias: 0, weights: [1] }],
      visible: [{ bias: 1, weights: [3] }],
    };
    const path = join(folder, 'judged');
    await saveModel({ ...model, confidence }, path);
    const loaded = await loadModel(path);
    const file = decodeModelFile(await encodeModelFile({ ...model, confidence }));
    expect([loaded.confidence, file.confidence]).toEqual([confidence, confidence]);
    loaded.dispose();
    file.dispose();
  });

  it('leaves no tensors behind', async () => {
    const before = tf.memory().numTensors;
    const path = join(folder, 'leak');
    await saveModel(model, path, { precision: 'float16' });
    (await loadModel(path)).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('round-trips one file and says what other bytes are', async () => {
    const bytes = await encodeModelFile(model);
    await writeFile(join(folder, 'one.voxface'), bytes);
    const loaded = await loadModel(join(folder, 'one.voxface'));
    expect(predict(loaded)).toEqual(predict(model));
    loaded.dispose();
    expect(() => decodeModelFile(new TextEncoder().encode('not a model at all'))).toThrow(
      /start with VOXFACE1/,
    );
    expect(() => decodeModelFile(bytes.subarray(0, bytes.length - 4))).toThrow(/is the file cut off/);
  });

  it('loads by address', async () => {
    await saveModel(model, join(folder, 'web'));
    await writeFile(join(folder, 'web.voxface'), await encodeModelFile(model));
    const serve = (async (url: string) => {
      try {
        return new Response(await readFile(join(folder, new URL(url).pathname)));
      } catch {
        return new Response('', { status: 404 });
      }
    }) as typeof fetch;
    for (const path of ['web', 'web/', 'web/voxface.json', 'web.voxface']) {
      const loaded = await loadModelFromUrl(`https://example.org/${path}`, { fetch: serve });
      expect(predict(loaded)).toEqual(predict(model));
      loaded.dispose();
    }
    await expect(loadModelFromUrl('https://example.org/none', { fetch: serve })).rejects.toThrow(
      /none\/voxface.json must answer with a file, got status 404/,
    );
  });

  it('names missing, unexpected and misshapen weights and writes nothing', async () => {
    const path = join(folder, 'broken');
    await saveModel(model, path);
    const file = join(path, 'estimator', 'model.json');
    const json = JSON.parse(await readFile(file, 'utf8'));
    const { weights } = json.weightsManifest[0];
    weights.find((w: { name: string }) => w.name === 'stem_conv/bias').name = 'stem_conv/offset';
    weights.find((w: { name: string }) => w.name === 'stem_conv/kernel').shape = [7, 7, 2, 3];
    await writeFile(file, JSON.stringify(json));
    await expect(loadModel(path)).rejects.toThrow(
      /stem_conv\/kernel is \[7, 7, 2, 3\] instead of \[7, 7, 3, 2\]; missing stem_conv\/bias \[2\]; unexpected stem_conv\/offset/,
    );
    await expect(loadModel(join(folder, 'nowhere'))).rejects.toThrow(/cannot read .*nowhere.voxface.json/);
  });
});

describe('toHalf', () => {
  it('rounds ties to even, keeps subnormals, zeros and infinities', () => {
    const values = [1, -2, 65504, 65520, 2 ** -24, 2 ** -25, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 0, -0, Infinity];
    expect(Array.from(toHalf(Float32Array.from(values)))).toEqual([
      0x3c00, 0xc000, 0x7bff, 0x7c00, 1, 0, 0x3c00, 0x3c02, 0, 0x8000, 0x7c00,
    ]);
  });
});
