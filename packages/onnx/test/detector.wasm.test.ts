import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { memory } from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { readImage } from '@voxface/datasets/node';
import { boxOverlap, type Pixels } from '@voxface/landmarks';
import { createFaceApiDetector } from '@voxface/models/face-api';
import { beforeAll, describe, expect, it } from 'vitest';
import { exportDetector } from '../src/export.ts';
import { createOnnxDetector } from '../src/node.ts';

const resolve = createRequire(new URL('../../models/package.json', import.meta.url)).resolve;
const samples = join(dirname(resolve('@vladmandic/face-api/package.json')), 'demo');

beforeAll(async () => {
  await setupBackend('wasm');
});

/** The picture in the top left of a black square. */
function toSquare({ data, width, height, channels }: Pixels): Pixels {
  const side = Math.max(width, height);
  const square = new Uint8Array(side * side * channels);
  for (let row = 0; row < height; row++) {
    square.set(data.subarray(row * width * channels, (row + 1) * width * channels), row * side * channels);
  }
  return { data: square, width: side, height: side, channels };
}

describe.each(['ssd', 'tiny'] as const)('createOnnxDetector, %s', (network) => {
  it('finds the faces that TensorFlow.js finds to a fifth of a pixel', async () => {
    // No tiles: TensorFlow.js shows the network squares only, so that its pictures end elsewhere.
    const once = { minScore: 0.2, rotations: 'never', minFace: network === 'ssd' ? 106 : 186 } as const;
    const ours = await createOnnxDetector(await exportDetector({ network }), once);
    const theirs = await createFaceApiDetector({ network, ...once });
    for (const photo of ['sample1.jpg', 'sample5.jpg']) {
      const image = toSquare(await readImage(join(samples, photo)));
      const [a, b] = [await ours.detect(image), await theirs.detect(image)];
      expect(a.length).toBeGreaterThan(0);
      expect(a).toHaveLength(b.length);
      // ssd's smaller looks come first on ONNX Runtime alone; faces that they see better keep the box that they have there.
      let equal = 0;
      for (const { box, score } of a) {
        const same = b.find((face) => boxOverlap(face.box, box) > 0.75);
        if (same === undefined) throw new Error(`only ONNX Runtime finds ${JSON.stringify(box)}`);
        const sides = ['x', 'y', 'width', 'height'] as const;
        const offset = Math.max(...sides.map((side) => Math.abs(same.box[side] - box[side])));
        if (offset < 0.2 && Math.abs(same.score - score) < 0.005) equal++;
      }
      expect(equal).toBeGreaterThanOrEqual(network === 'ssd' ? 3 : a.length);
    }
    ours.dispose();
    theirs.dispose();
  });

  it('sees in the shape of the picture what it sees in the square', async () => {
    const detector = await createOnnxDetector(await exportDetector({ network }), { rotations: 'never' });
    const image = await readImage(join(samples, 'sample1.jpg'));
    const [a, b] = [await detector.detect(image), await detector.detect(toSquare(image))];
    expect(a).toHaveLength(3);
    expect(b).toHaveLength(3);
    for (const { box, score } of a) {
      const same = b.find((face) => boxOverlap(face.box, box) > 0.9)!;
      expect(Math.abs(same.score - score)).toBeLessThan(0.05);
    }
    detector.dispose();
  });
});

it('leaves no tensors behind', async () => {
  const before = memory().numTensors;
  (await createOnnxDetector(await exportDetector({ network: 'tiny' }))).dispose();
  expect(memory().numTensors).toBe(before);
});
