import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setupBackend } from '@voxface/backend';
import { readImage } from '@voxface/datasets/node';
import { createRandom } from '@voxface/landmarks';
import { createFaceShapeModel, type FaceShapeModel } from '@voxface/models';
import { exportOnnx } from '@voxface/onnx/export';
import { createOnnxPredictor } from '@voxface/onnx/node';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocatedPhoto, localizePhotos } from '../src/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'voxface-photos-'));
const box = { x: 10, y: 6, width: 30, height: 28 };
const files = Array.from({ length: 40 }, (_, i) => join(folder, `${i}.jpg`));
const broken = 13;
let model: FaceShapeModel;

beforeAll(async () => {
  await setupBackend('cpu');
  model = createFaceShapeModel('tiny');
  const random = createRandom(3);
  for (const [i, file] of files.entries()) {
    const [width, height] = [50 + (i % 5), 40 + (i % 3)];
    const raw = Uint8Array.from({ length: width * height * 3 }, () => random.integer(256));
    const jpeg = await sharp(raw, { raw: { width, height, channels: 3 } })
      .jpeg()
      .toBuffer();
    writeFileSync(file, i === broken ? jpeg.subarray(0, jpeg.length >> 1) : jpeg);
  }
});
afterAll(() => {
  model.dispose();
  rmSync(folder, { recursive: true });
});

async function collect(results: AsyncIterable<LocatedPhoto>): Promise<LocatedPhoto[]> {
  const all: LocatedPhoto[] = [];
  for await (const result of results) all.push(result);
  return all;
}

describe('localizePhotos', () => {
  it('gives what one predictor gives, in order, and names the broken photo', async () => {
    const requests = files.map((file, i) => ({ file, boxes: i % 4 === 1 ? [box, box] : [box] }));
    const results = await collect(localizePhotos(requests, { model, detector: false, threads: 2 }));
    expect(results.map(({ file }) => file)).toEqual(files);
    const predictor = await createOnnxPredictor(await exportOnnx(model));
    for (const [i, result] of results.entries()) {
      if (i === broken) {
        expect(result.error).toMatch(/truncated JPEG.*13\.jpg/);
        continue;
      }
      if (result.error !== undefined) throw new Error(result.error);
      expect(result.width).toBe(50 + (i % 5));
      expect(result.faces).toHaveLength(i % 4 === 1 ? 2 : 1);
      const { landmarks } = await predictor.predict(await readImage(files[i]), box);
      for (const face of result.faces) {
        expect(face.score).toBe(1);
        face.landmarks.points.forEach((value, k) => {
          expect(Math.abs(value - landmarks.points[k])).toBeLessThan(1e-3);
        });
      }
    }
    predictor.dispose();
  });

  it('gives the same in this thread, with the photos when asked for', async () => {
    const requests = files.slice(0, 3).map((file) => ({ file, boxes: [box] }));
    const threaded = await collect(localizePhotos(requests, { model, detector: false, threads: 1 }));
    const here = await collect(localizePhotos(requests, { model, detector: false, images: true }));
    for (const [i, photo] of here.entries()) {
      const other = threaded[i];
      if (photo.error !== undefined || other.error !== undefined) throw new Error(photo.error ?? other.error);
      expect(photo.image?.width).toBe(other.width);
      const [own, shared] = [photo, other].map(({ faces }) => [...faces[0].landmarks.points]);
      for (const [k, value] of own.entries()) expect(value).toBeCloseTo(shared[k], 3);
    }
  });

  it('ends its threads when the caller leaves the loop', async () => {
    const requests = files.map((file) => ({ file, boxes: [box] }));
    for await (const result of localizePhotos(requests, { model, detector: false, threads: 2 })) {
      expect(result.file).toBe(files[0]);
      break;
    }
  });

  it('takes an empty list and refuses fewer than no threads', async () => {
    expect(await collect(localizePhotos([], { model }))).toEqual([]);
    await expect(collect(localizePhotos(files, { model, threads: -1 }))).rejects.toThrow(
      /threads must be a whole number from 0 or null, got -1/,
    );
  });
});
