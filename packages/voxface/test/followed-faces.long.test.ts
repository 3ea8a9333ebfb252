import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readImage } from '@voxface/datasets/node';
import { type Affine, boxOf, cropPixels, type Landmarks, type Pixels } from '@voxface/landmarks';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFaceLandmarker, type Face } from '../src/index.ts';

const samples = join(
  dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json')),
  'demo',
);
const [WIDTH, HEIGHT] = [640, 360];
/** Longer side of the faces, pixels. */
const FACE = 100;
/** Side of what is cut out around each face. */
const PATCH = 150;

interface Person {
  readonly patch: Uint8Array;
  /** In the patch. */
  readonly landmarks: readonly (readonly [number, number])[];
}

const people: Person[] = [];

beforeAll(async () => {
  const landmarker = await createFaceLandmarker();
  for (const name of ['sample1', 'sample3', 'sample5']) {
    const image = await readImage(join(samples, `${name}.jpg`));
    const [face] = await landmarker.detect(image);
    expect(face.confidence).toBeGreaterThan(0.9);
    people.push(cut(image, face.landmarks));
  }
  landmarker.dispose();
});

function cut(image: Pixels, landmarks: Landmarks<3>): Person {
  const box = boxOf(landmarks);
  const scale = FACE / Math.max(box.width, box.height);
  const [x, y] = [box.x + box.width / 2 + 0.5, box.y + box.height / 2 + 0.5];
  const unit = scale / PATCH;
  const affine: Affine = [unit, 0, 0, unit, 0.5 - unit * (x - 0.5), 0.5 - unit * (y - 0.5)];
  const placed = Array.from({ length: 68 }, (_, i) => {
    const [u, v] = landmarks.points.subarray(3 * i, 3 * i + 2);
    return [scale * (u + 0.5 - x) + PATCH / 2 - 0.5, scale * (v + 0.5 - y) + PATCH / 2 - 0.5] as const;
  });
  return { patch: cropPixels(image, affine, PATCH), landmarks: placed };
}

/** People pasted with the top left corner of their patches at the places, the last in front. */
function frameOf(...pasted: [Person, left: number, top: number][]): Pixels {
  const data = new Uint8Array(WIDTH * HEIGHT * 3).fill(pasted.length === 0 ? 0 : 90);
  for (const [{ patch }, left, top] of pasted) {
    const [from, to] = [Math.max(0, -left), Math.min(PATCH, WIDTH - left)];
    for (let y = 0; y < PATCH && to > from; y++) {
      const row = patch.subarray(3 * (y * PATCH + from), 3 * (y * PATCH + to));
      data.set(row, 3 * ((top + y) * WIDTH + left + from));
    }
  }
  return { data, width: WIDTH, height: HEIGHT, channels: 3 };
}

/** Mean distance of the landmarks to those of a person whose patch lies there, over the size of faces. */
function errorOf({ landmarks }: Face, person: Person, left: number, top: number): number {
  const distances = person.landmarks.map(([x, y], i) =>
    Math.hypot(landmarks.points[3 * i] - x - left, landmarks.points[3 * i + 1] - y - top),
  );
  return distances.reduce((sum, value) => sum + value, 0) / distances.length / FACE;
}

describe('faces of photos in a made clip', () => {
  const lost: [id: number, seconds: number][] = [];
  const open = () =>
    createFaceLandmarker({
      video: {
        maxFaces: 2,
        detectEvery: 5,
        smoothing: false,
        onLost: (id, seconds) => lost.push([id, seconds]),
      },
    });
  let landmarker: Awaited<ReturnType<typeof open>>;
  afterAll(() => landmarker.dispose());

  test.each([
    [0, 1, 15],
    [1, 0, 15],
    [2, 1, 8],
  ])(
    'person %i keeps its number before person %i, who is lost and found again, at %i pixels a frame',
    async (inFront, behind, speed) => {
      landmarker?.dispose();
      landmarker = await open();
      lost.length = 0;
      const [front, back] = [people[inFront], people[behind]];
      const [top, start] = [100, 20];
      const count = Math.ceil(450 / speed);
      const frontAt = (i: number): number => start + speed * i;
      const backAt = (i: number): number => start + 450 - speed * i;
      let [frontId, backId] = [0, 0];
      for (let i = 0; i <= count; i++) {
        const frame = frameOf([back, backAt(i), top], [front, frontAt(i), top]);
        const faces = await landmarker.detectForVideo(frame, 40 * i);
        const near = faces.sort(
          (a, b) => errorOf(a, front, frontAt(i), top) - errorOf(b, front, frontAt(i), top),
        );
        if (i === 0) [frontId, backId] = near.map(({ id }) => id!);
        expect([i, near[0].id]).toEqual([i, frontId]);
        expect(errorOf(near[0], front, frontAt(i), top)).toBeLessThan(0.1);
        // Patches lie on each other halfway; far from there both are seen, each under its number.
        const distance = Math.abs(frontAt(i) - backAt(i));
        if (distance < 20) expect(near).toHaveLength(1);
        const isAgain = frontAt(i) > backAt(i) && distance > PATCH + 2 * 5 * speed;
        if ((frontAt(i) < backAt(i) && distance > PATCH) || isAgain) {
          expect([i, ...near.map(({ id }) => id)]).toEqual([i, frontId, backId]);
          expect(errorOf(near[1], back, backAt(i), top)).toBeLessThan(0.1);
        }
      }
      expect(lost.map(([id]) => id)).toEqual([backId]);
    },
  );

  test('a face is lost in black and at a cut; only who comes back where it was is known again', async () => {
    landmarker.dispose();
    landmarker = await open();
    lost.length = 0;
    const [one, two] = people;
    const idsAt = async (i: number, ...pasted: [Person, number, number][]) =>
      (await landmarker.detectForVideo(frameOf(...pasted), 40 * i)).map(({ id }) => id);
    expect(await idsAt(0, [one, 100, 100])).toEqual([1]);
    expect(await idsAt(1, [one, 100, 100])).toEqual([1]);
    expect(await idsAt(2)).toEqual([]);
    expect(lost).toEqual([[1, 0.08]]);
    // Somebody else in the same place.
    expect(await idsAt(3, [two, 100, 100])).toEqual([2]);
    expect(await idsAt(4)).toEqual([]);
    expect(await idsAt(5, [one, 100, 100])).toEqual([1]);
    // A cut: the same face elsewhere.
    expect(await idsAt(6, [one, 450, 180])).toEqual([]);
    expect(lost.slice(1)).toEqual([
      [2, 0.16],
      [1, 0.24],
    ]);
    expect(await idsAt(7, [one, 450, 180])).toEqual([3]);
    // Later than it is remembered.
    expect(await idsAt(8)).toEqual([]);
    expect(await idsAt(200, [one, 450, 180])).toEqual([4]);
  });
});
