import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-backend-webgl';
import '@tensorflow/tfjs-backend-webgpu';
import { createRandom, type Pixels } from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import {
  createFaceShapeModel,
  createPredictor,
  encodeModelFile,
  loadModelFromUrl,
  PRESETS,
} from '../src/index.ts';
import { disagreement, leakOf } from './helpers/backend-agreement.ts';

describe.each(['webgl', 'webgpu'])('predictions on %s', (backend) => {
  it('agree with cpu within 0.1 px of a 256-px crop', async () => {
    expect(await disagreement(backend, 'cpu')).toBeLessThan(0.1);
  });

  // WebGPU is emulated on the CPU in the tests and slow: fewer there.
  const count = backend === 'webgpu' ? 10 : 100;
  it(`leak nothing in ${count} predictions`, async () => {
    expect(await leakOf(count, backend)).toBe(0);
  });
});

describe('a predictor in the browser', () => {
  const width = 24;
  const height = 16;
  const random = createRandom(1);
  const data = Uint8ClampedArray.from({ length: width * height * 4 }, (_, i) =>
    i % 4 === 3 ? 255 : random.integer(256),
  );
  const imageData = new ImageData(data, width, height);
  const canvas = (): HTMLCanvasElement => {
    const element = Object.assign(document.createElement('canvas'), { width, height });
    element.getContext('2d')!.putImageData(imageData, 0, 0);
    return element;
  };
  const expected: Pixels = { data, width, height, channels: 4 };

  it('predicts from a canvas what it predicts from bytes, with a model loaded by address', async () => {
    const model = createFaceShapeModel(PRESETS.tiny);
    const file = new Blob([(await encodeModelFile(model)) as Uint8Array<ArrayBuffer>]);
    const serve: typeof fetch = async () => new Response(file);
    const loaded = await loadModelFromUrl('https://example.org/model.voxface', { fetch: serve });
    const box = { x: 2, y: 1, width: 12, height: 12 };
    const fromBytes = await createPredictor(model).predict(expected, box);
    const fromCanvas = await createPredictor(loaded).predict(canvas(), box);
    expect(Array.from(fromCanvas.landmarks.points)).toEqual(Array.from(fromBytes.landmarks.points));
    model.dispose();
    loaded.dispose();
  });
});
