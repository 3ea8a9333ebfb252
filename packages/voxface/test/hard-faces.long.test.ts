import { readFile } from 'node:fs/promises';
import { open300w } from '@voxface/datasets/node';
import { boxOf, createRandom, type Landmarks, type Pixels } from '@voxface/landmarks';
import { findData } from '@voxface/test-utils/node';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFaceLandmarker, type Face, type FaceLandmarker, type PhotoSource } from '../src/index.ts';

/** Photos of HELEN's training set that the shipped weights were validated on, never trained. */
const VALIDATION = `1012675629_1 103236168_1 1112052992_1 1220825867_1 126229661_1 130625688_1 131787989_1 133275383_1 1413333405_1
 14403172_1 1443377029_1 154598718_1 169598954_1 2070105355_2 2091300387_1 212409770_1 214778625_1 2152239275_1 2177175118_1 2181559194_1`;
const helen = findData('300w/helen/trainset');

interface Photo {
  readonly bytes: Buffer;
  readonly image: Pixels;
  readonly landmarks: Landmarks;
}
type Place = (x: number, y: number) => [number, number];

let landmarker: FaceLandmarker<PhotoSource>;
const photos: Photo[] = [];

beforeAll(async () => {
  landmarker = await createFaceLandmarker();
  if (!helen) return;
  const dataset = await open300w(helen);
  for (const id of VALIDATION.split(/\s+/)) {
    const { image, landmarks } = await dataset.load(dataset.ids.findIndex((own) => own.includes(id)));
    const bytes = await readFile(`${helen}/${id}.jpg`);
    photos.push({ bytes, image, landmarks });
  }
});
afterAll(() => landmarker.dispose());

/** Mean distance of the landmarks to the true ones, which `place` moves, over the size of the box. */
function errorOf({ landmarks }: Face, truth: Landmarks, place: Place = (x, y) => [x, y]): number {
  const placed = Array.from({ length: 68 }, (_, i) =>
    place(truth.points[truth.dims * i], truth.points[truth.dims * i + 1]),
  );
  const spread = (axis: 0 | 1): number => {
    const values = placed.map((point) => point[axis]);
    return Math.max(...values) - Math.min(...values);
  };
  const distances = placed.map(([x, y], i) =>
    Math.hypot(landmarks.points[3 * i] - x, landmarks.points[3 * i + 1] - y),
  );
  return mean(distances) / Math.sqrt(spread(0) * spread(1));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe.skipIf(!helen)('20 faces of HELEN (needs 300w/helen/trainset)', () => {
  test.each([90, 180])(
    'turned by %i degrees are found as well as upright, once each, and nothing else is',
    async (angle) => {
      const errors: number[] = [];
      let [garbage, doubles] = [0, 0];
      for (const { bytes, image, landmarks } of photos) {
        const { width, height } = image;
        const faces = await landmarker.detect(await sharp(bytes).rotate(angle).png().toBuffer());
        const own = faces.map((face) =>
          errorOf(face, landmarks, (x, y) =>
            angle === 90 ? [height - 1 - y, x] : [width - 1 - x, height - 1 - y],
          ),
        );
        // Some photos show a second face, which lies a face away.
        errors.push(Math.min(...own));
        doubles += Math.max(0, own.filter((error) => error < 0.15).length - 1);
        garbage += own.filter((error) => error > 0.15 && error < 0.6).length;
      }
      expect(errors.filter((error) => error < 0.06).length).toBeGreaterThanOrEqual(18);
      expect({ garbage, doubles }).toEqual({ garbage: 0, doubles: 0 });
    },
  );

  test('of 120 pixels in photos of 4000 x 3000 are found: at least 8 of 10', async () => {
    let found = 0;
    for (const [k, { bytes, image, landmarks }] of photos.slice(0, 10).entries()) {
      const { width } = image;
      const box = boxOf(landmarks);
      const scale = Math.round((width * 120) / Math.max(box.width, box.height)) / width;
      const [left, top] = [400 + 240 * k, 900];
      const small = await sharp(bytes)
        .resize(Math.round(width * scale))
        .toBuffer();
      const background = { width: 4000, height: 3000, channels: 3 as const, background: '#6e7882' };
      const large = await sharp({ create: background })
        .composite([{ input: small, left, top }])
        .jpeg({ quality: 90 })
        .toBuffer();
      const faces = await landmarker.detect(large);
      const place: Place = (x, y) => [left + scale * (x + 0.5) - 0.5, top + scale * (y + 0.5) - 0.5];
      if (faces.some((face) => errorOf(face, landmarks, place) < 0.08)) found++;
    }
    expect(found).toBeGreaterThanOrEqual(8);
  });

  test('that are covered from below by more and more are told by their confidences', async () => {
    const told: { face: number; hidden: number; seen: number }[] = [];
    for (const share of [0, 0.2, 0.4, 0.6]) {
      const own: typeof told = [];
      for (const { image: whole, landmarks } of photos) {
        const box = boxOf(landmarks);
        const image = { ...whole, data: whole.data.slice() };
        const start = Math.max(0, Math.round(box.y + (1 - share) * box.height));
        const end = Math.min(image.height, Math.round(box.y + 1.05 * box.height));
        const [from, to] = [Math.max(0, Math.round(box.x)), Math.round(box.x + box.width)];
        for (let y = start; share > 0 && y < end; y++) {
          image.data.fill(
            170,
            3 * (y * image.width + from),
            3 * (y * image.width + Math.min(to, image.width)),
          );
        }
        const [{ confidence = 0, landmarkConfidence = [] }] = await landmarker.detect(image, {
          boxes: [box],
        });
        // Jaw below the mouth and mouth; brows and eyes.
        const part = (indices: readonly number[]): number => mean(indices.map((i) => landmarkConfidence[i]));
        const hidden = part([6, 7, 8, 9, 10, 48, 51, 54, 57]);
        own.push({ face: confidence, hidden, seen: part([17, 21, 22, 26, 36, 39, 42, 45]) });
      }
      told.push({
        face: mean(own.map(({ face }) => face)),
        hidden: mean(own.map(({ hidden }) => hidden)),
        seen: mean(own.map(({ seen }) => seen)),
      });
    }
    for (const [before, after] of [
      [told[0], told[1]],
      [told[1], told[2]],
      [told[2], told[3]],
    ]) {
      expect(after.face).toBeLessThan(before.face);
      expect(after.hidden).toBeLessThan(before.hidden);
    }
    // What lies under the patch loses more than what can be seen.
    for (const { hidden, seen } of told.slice(2)) {
      expect(told[0].hidden - hidden).toBeGreaterThan(1.2 * (told[0].seen - seen));
    }
  });
});

test.each(['black', 'grey', 'noise'])('a %s picture has no face', async (kind) => {
  const random = createRandom(3);
  const value = { black: () => 0, grey: () => 128, noise: () => random.integer(256) }[kind]!;
  const data = Uint8Array.from({ length: 640 * 480 * 3 }, value);
  const image = { data, width: 640, height: 480, channels: 3 as const };
  expect(await landmarker.detect(image)).toEqual([]);
  for (let i = 0; i < 2; i++) expect(await landmarker.detectForVideo(image, performance.now())).toEqual([]);
  // A box that somebody gives is answered, and the answer says that there is no face.
  const [{ confidence }] = await landmarker.detect(image, {
    boxes: [{ x: 200, y: 120, width: 240, height: 240 }],
  });
  expect(confidence).toBeLessThan(0.1);
});
