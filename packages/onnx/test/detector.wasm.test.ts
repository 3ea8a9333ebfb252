import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { memory } from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { readImage } from '@voxface/datasets/node';
import { createFaceApiDetector } from '@voxface/models/face-api';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportDetector } from '../src/export.ts';
import { createOnnxDetector } from '../src/node.ts';

const resolve = createRequire(new URL('../../models/package.json', import.meta.url)).resolve;
const samples = join(dirname(resolve('@vladmandic/face-api/package.json')), 'demo');

beforeAll(async () => {
  await setupBackend('wasm');
});

describe.each(['ssd', 'tiny'] as const)('createOnnxDetector, %s', (network) => {
  it('finds the faces that TensorFlow.js finds to a fiftieth of a pixel', async () => {
    const ours = await createOnnxDetector(await exportDetector({ network }), { minScore: 0.2 });
    const theirs = await createFaceApiDetector({ network, minScore: 0.2 });
    for (const photo of ['sample1.jpg', 'sample5.jpg']) {
      const image = await readImage(join(samples, photo));
      const [a, b] = [await ours.detect(image), await theirs.detect(image)];
      expect(a.length).toBeGreaterThan(0);
      expect(a).toHaveLength(b.length);
      a.forEach((face, i) => {
        expect(face.score).toBeCloseTo(b[i].score, 5);
        for (const side of ['x', 'y', 'width', 'height'] as const) {
          expect(Math.abs(face.box[side] - b[i].box[side])).toBeLessThan(2e-2);
        }
      });
    }
    ours.dispose();
    theirs.dispose();
  });
});

it('leaves no tensors behind', async () => {
  const before = memory().numTensors;
  (await createOnnxDetector(await exportDetector({ network: 'tiny' }))).dispose();
  expect(memory().numTensors).toBe(before);
});
