import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { createRandom } from '@voxface/landmarks';
import { createFaceShapeModel, createPredictor, type FaceShapeModel } from '@voxface/models';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportOnnx } from '../src/export.ts';
import { createOnnxPredictor } from '../src/web.ts';

let model: FaceShapeModel;
let crops: Uint8Array[];

beforeAll(async () => {
  await setBackend('cpu');
  model = createFaceShapeModel('tiny');
  const size = model.options.inputSize;
  const random = createRandom(4);
  crops = Array.from({ length: 3 }, () =>
    Uint8Array.from({ length: size * size * 3 }, () => random.integer(256)),
  );
});
afterAll(() => model.dispose());

describe('createOnnxPredictor in the browser', () => {
  it('agrees with TensorFlow.js to 1e-4 crop units on wasm', async () => {
    const ours = await createOnnxPredictor(await exportOnnx(model), { threads: 1 });
    const theirs = createPredictor(model);
    const [a, b] = [await ours.predictUnit(crops), await theirs.predictUnit(crops)];
    expect(a).toHaveLength(3);
    a.forEach(({ points }, face) => {
      points.forEach((value, i) => {
        expect(Math.abs(value - b[face].points[i])).toBeLessThan(1e-4);
      });
    });
    const [volume] = await ours.estimateVolumes(crops);
    expect(volume).toHaveLength(ours.info.volume!.reduce((x, y) => x * y, 1));
    expect(volume.some((value) => value !== 0)).toBe(true);
    ours.dispose();
    theirs.dispose();
    await expect(ours.predictUnit(crops)).rejects.toThrow(/was disposed/);
  });

  it('reads a file from its bytes and from an address', async () => {
    const bytes = await exportOnnx(model, { volume: false });
    const address = URL.createObjectURL(new Blob([Uint8Array.from(bytes)]));
    const [first, second] = [
      await createOnnxPredictor(await exportOnnx(model)),
      await createOnnxPredictor(address),
    ];
    const [a, b] = [await first.predictUnit(crops), await second.predictUnit(crops)];
    a[0].points.forEach((value, i) => {
      expect(Math.abs(value - b[0].points[i])).toBeLessThan(1e-5);
    });
    await expect(second.estimateVolumes(crops)).rejects.toThrow(/exported without its volume/);
    first.dispose();
    second.dispose();
  });

  it('says what WebGPU needs', async () => {
    await expect(createOnnxPredictor(await exportOnnx(model), { providers: ['webgpu'] })).rejects.toThrow(
      /pass runtime: await import\('onnxruntime-web\/webgpu'\)/,
    );
  });
});
