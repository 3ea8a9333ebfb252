import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { setBackend } from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { boxOverlap } from '@voxface/landmarks';
import { type DecodedImage, FACE_API_CALIBRATION } from '@voxface/predict';
import sharp from 'sharp';
import { beforeAll, describe, expect, it } from 'vitest';
import { createFaceApiDetector } from '../src/face-api.ts';
import { createFaceShapeModel, createPredictor } from '../src/index.ts';
import golden from './golden/face-api-boxes.json' with { type: 'json' };

const samples = join(
  dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')),
  'demo',
);

beforeAll(async () => {
  await setupBackend('wasm');
  await setBackend('wasm');
});

async function open(name: string): Promise<DecodedImage> {
  return sharp(join(samples, name)).removeAlpha().raw().toBuffer({ resolveWithObject: true });
}

describe.each(['ssd', 'tiny'] as const)('createFaceApiDetector, %s', (network) => {
  it('finds the boxes that face-api finds', async () => {
    // One look at the whole picture, as face-api has it: its 1920 pixels at 512 or 416.
    const minFace = network === 'ssd' ? (28.001 * 1920) / 512 : (40.001 * 1920) / 416;
    const detector = await createFaceApiDetector({ network, calibrated: false, rotations: 'never', minFace });
    for (const photo of ['sample1.jpg', 'sample5.jpg'] as const) {
      const faces = await detector.detect(await open(photo));
      const expected = golden.boxes[photo][network];
      expect(faces).toHaveLength(expected.length);
      for (const [score, x, y, width, height] of expected) {
        const best = [...faces].sort(
          (a, b) => boxOverlap(b.box, { x, y, width, height }) - boxOverlap(a.box, { x, y, width, height }),
        )[0];
        // face-api shrinks the photo without averaging; this port averages, which moves boxes a little.
        expect(boxOverlap(best.box, { x, y, width, height })).toBeGreaterThan(0.85);
        expect(Math.abs(best.score - score)).toBeLessThan(0.1);
      }
    }
    detector.dispose();
  });

  it('finds nothing in a black or a tiny picture, and leaks nothing', async () => {
    const start = tf.memory().numTensors;
    const detector = await createFaceApiDetector({ network });
    const black = { data: new Uint8Array(60 * 40 * 3), width: 60, height: 40, channels: 3 } as const;
    expect(await detector.detect(black)).toEqual([]);
    expect(await detector.detect({ data: new Uint8Array(3), width: 1, height: 1, channels: 3 })).toEqual([]);
    detector.dispose();
    await expect(detector.detect(black)).rejects.toThrow(/was disposed/);
    expect(tf.memory().numTensors).toBe(start);
  });

  it('maps boxes to landmark boxes', async () => {
    const raw = await createFaceApiDetector({ network, calibrated: false });
    const calibrated = await createFaceApiDetector({ network });
    const image = await open('sample1.jpg');
    const [before, after] = [await raw.detect(image), await calibrated.detect(image)];
    const { scale, shift } = FACE_API_CALIBRATION[network];
    before.forEach(({ box }, i) => {
      expect(after[i].box.width).toBeCloseTo(box.width * scale[0], 3);
      expect(after[i].box.y + after[i].box.height / 2).toBeCloseTo(box.y + box.height * (0.5 + shift[1]), 3);
    });
    raw.dispose();
    calibrated.dispose();
  });
});

describe('thirty faces', () => {
  it('are found in one photo and localized in batches', async () => {
    const face = await sharp(join(samples, 'sample1.jpg'))
      .extract({ left: 1380, top: 130, width: 380, height: 380 })
      .resize(300, 300)
      .toBuffer();
    const image: DecodedImage = await sharp({
      create: { width: 1800, height: 1500, channels: 3, background: '#888' },
    })
      .composite(
        Array.from({ length: 30 }, (_, i) => ({
          input: face,
          left: 300 * (i % 6),
          top: 300 * Math.floor(i / 6),
        })),
      )
      .raw()
      .toBuffer({ resolveWithObject: true });
    const detector = await createFaceApiDetector({ minScore: 0.3 });
    const found = await detector.detect(image);
    detector.dispose();
    expect(found).toHaveLength(30);
    const cells = new Set(
      found.map(({ box }) => {
        const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
        return 6 * Math.floor(y / 300) + Math.floor(x / 300);
      }),
    );
    expect(cells.size).toBe(30);
    const model = createFaceShapeModel('tiny');
    const predictor = createPredictor(model);
    const shapes = await predictor.predictBatch(found.map((face) => ({ image, ...face })));
    expect(shapes).toHaveLength(30);
    for (const { landmarks } of shapes) expect(landmarks.points.every(Number.isFinite)).toBe(true);
    model.dispose();
  });
});

describe('createFaceApiDetector', () => {
  it('says what is wrong with its options', async () => {
    await expect(createFaceApiDetector({ network: 'huge' as never })).rejects.toThrow(
      /ssd or tiny, got huge/,
    );
    await expect(createFaceApiDetector({ modelUrl: 'http://127.0.0.1:9/model' })).rejects.toThrow();
  });
});
