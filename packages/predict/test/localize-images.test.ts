import type { Pixels } from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import { createCropPredictor, type FaceDetector, type LocatedImage, localizeImages } from '../src/index.ts';

const size = 4;
const box = { x: 2, y: 2, width: 4, height: 4 };

/** A predictor whose landmarks all lie at (mean brightness, 0, 0); remembers its batches. */
function brightness(batches: number[] = []) {
  return createCropPredictor(
    {
      inputSize: size,
      landmarks: 3,
      scheme: 'other',
      run: async (crops) => {
        batches.push(crops.length);
        return crops.flatMap((crop) => [0, 1, 2].flatMap(() => [crop.reduce((a, b) => a + b) / 255, 0, 0]));
      },
    },
    { batchSize: 100 },
  );
}

const grey = (value: number): Pixels => ({
  data: new Uint8Array(8 * 8 * 3).fill(value),
  width: 8,
  height: 8,
  channels: 3,
});

async function collect<S>(results: AsyncIterable<LocatedImage<S>>): Promise<LocatedImage<S>[]> {
  const all: LocatedImage<S>[] = [];
  for await (const result of results) all.push(result);
  return all;
}

describe('localizeImages', () => {
  it('keeps the order, joins faces of several pictures, and holds only a few pictures', async () => {
    const batches: number[] = [];
    let [open, most] = [0, 0];
    const sources = Array.from({ length: 23 }, (_, i) => i);
    const results = localizeImages(sources, {
      read: async (i) => {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setTimeout(resolve, (i * 7) % 5));
        return grey(10 * i);
      },
      predictor: brightness(batches),
      boxes: (i) => Array.from({ length: i % 3 }, () => box),
      ahead: 2,
      together: 5,
    });
    let next = 0;
    for await (const result of results) {
      open -= 1;
      expect(result.source).toBe(next);
      if (result.error !== undefined) throw result.error;
      expect(result.faces).toHaveLength(next % 3);
      const x = result.faces.map(({ landmarks }) => landmarks.points[0]);
      if (next % 3 === 2) expect(x[1]).toBe(x[0]);
      next += 1;
    }
    expect(next).toBe(23);
    expect(most).toBeLessThanOrEqual(2 + 5 + 1);
    expect(batches).toEqual([4, 5, 6, 4, 3]);
  });

  it('reports pictures that cannot be read, looked at or predicted in their places', async () => {
    const detector: FaceDetector = {
      detect: async (image) => {
        if ((image as Pixels).data[0] === 2) throw new Error('detector lost');
        const width = (image as Pixels).data[0] === 3 ? Number.NaN : 4;
        return [{ box: { ...box, width }, score: 0.5 }];
      },
      dispose: () => {},
    };
    const results = await collect(
      localizeImages([0, 1, 2, 3, 4], {
        read: (i) => {
          if (i === 1) throw new Error('unreadable');
          return grey(i);
        },
        predictor: brightness(),
        detector,
      }),
    );
    expect(results.map(({ error }) => error?.message.slice(0, 13))).toEqual([
      undefined,
      'unreadable',
      'detector lost',
      'cropAffine: e',
      undefined,
    ]);
  });

  it('leaves detected faces out that are none, and keeps those whose boxes were given', async () => {
    const base = brightness();
    const predictor = {
      ...base,
      // As bright as sure: 0.02 and 0.4.
      predictBatch: async (items: Parameters<typeof base.predictBatch>[0]) =>
        (await base.predictBatch(items)).map((face, i) => ({
          ...face,
          confidence: (items[i].image as Pixels).data[0] / 100,
        })),
    };
    const detector: FaceDetector = { detect: async () => [{ box, score: 0.9 }], dispose: () => {} };
    const boxes = (value: number) => (value === 3 ? [box] : undefined);
    const results = await collect(localizeImages([2, 40, 3], { read: grey, predictor, detector, boxes }));
    const found = results.map((result) => result.error ?? result.faces.map(({ confidence }) => confidence));
    expect(found).toEqual([[], [0.4], [0.03]]);
  });

  it('gives a face once that the detector saw in two boxes', async () => {
    const base = brightness();
    // Corners of squares of 4 pixels. The first two boxes show the same face, the second one better; the third a wrong answer for it that
    // shares a third with it, the fourth another face as near.
    const corners = (x: number) => [x, 0, 0, x + 4, 0, 0, x, 4, 0];
    const shapes = [
      { at: 0, confidence: 0.9 },
      { at: 0.5, confidence: 1 },
      { at: 2.5, confidence: 0.5 },
      { at: -1.5, confidence: 1 },
    ].map(({ at, confidence }) => ({
      landmarks: { points: Float32Array.from(corners(at)), dims: 3 as const },
      confidence,
    }));
    const predictor = {
      ...base,
      predictBatch: async (items: Parameters<typeof base.predictBatch>[0]) =>
        (await base.predictBatch(items)).map((face, i) => ({ ...face, ...shapes[i] })),
    };
    const found = [0.9, 0.85, 0.7, 0.75].map((score) => ({ box, score }));
    const detector: FaceDetector = { detect: async () => found, dispose: () => {} };
    const scoresOf = async (given: boolean): Promise<number[]> => {
      const boxes = given ? () => [box, box, box, box] : undefined;
      const [{ faces = [] }] = (await collect(
        localizeImages([40], { read: grey, predictor, detector, boxes }),
      )) as { faces?: readonly { score: number }[] }[];
      return faces.map(({ score }) => score);
    };
    expect(await scoresOf(false)).toEqual([0.85, 0.75]);
    expect(await scoresOf(true)).toEqual([1, 1, 1, 1]);
  });

  it('refuses to run without detector and boxes', async () => {
    const results = localizeImages([1], { read: grey, predictor: brightness() });
    await expect(collect(results)).rejects.toThrow(/expected a detector or boxes/);
  });
});
