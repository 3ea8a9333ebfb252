import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { applySimilarity, createLandmarks, MEAN_FACE_68 } from '@voxface/landmarks';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFaceLandmarker, type Face, type FaceLandmarker, type PhotoSource } from '../src/index.ts';

const faceApi = dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json'));
const photo = join(faceApi, 'demo/sample1.jpg');
let landmarker: FaceLandmarker<PhotoSource>;
let faces: Face[];

beforeAll(async () => {
  landmarker = await createFaceLandmarker();
  faces = await landmarker.detect(photo);
});
afterAll(() => landmarker.dispose());

const distance = (a: Face, b: Face): number =>
  Math.max(...a.landmarks.points.map((value, i) => Math.abs(value - b.landmarks.points[i])));

describe('createFaceLandmarker in Node', () => {
  test('finds the faces of a photo: landmarks in the box, eyes above mouth, a pose', () => {
    expect(faces.length).toBeGreaterThan(1);
    for (const { box, score, landmarks, pose } of faces) {
      const at = (i: number): number[] => [...landmarks.points.subarray(3 * i, 3 * i + 3)];
      expect(landmarks.points).toHaveLength(68 * 3);
      expect(score).toBeGreaterThan(0.5);
      expect(at(36)[1]).toBeLessThan(at(48)[1]);
      expect(at(36)[0]).toBeLessThan(at(45)[0]);
      expect(at(30)[0]).toBeGreaterThan(box.x);
      expect(at(30)[0]).toBeLessThan(box.x + box.width);
      expect(Math.abs(pose.yaw)).toBeLessThan(90);
    }
    const scores = faces.map(({ score }) => score ?? 0);
    expect(scores).toEqual([...scores].sort((a, b) => b - a));
  });

  test('the matrix maps the mean face onto the face', () => {
    const { matrix: m, landmarks, box } = faces[0];
    const moved = createLandmarks(
      Array.from({ length: 68 }, (_, i) => {
        const [x, y, z] = MEAN_FACE_68.points.subarray(3 * i, 3 * i + 3);
        return [0, 1, 2].map((r) => m[r] * x + m[4 + r] * y + m[8 + r] * z + m[12 + r]);
      }).flat(),
      3,
    );
    const scale = Math.hypot(m[0], m[1], m[2]);
    const rotation = [m[0], m[4], m[8], m[1], m[5], m[9], m[2], m[6], m[10]].map((v) => v / scale);
    const expected = applySimilarity(MEAN_FACE_68, { scale, rotation, translation: [m[12], m[13], m[14]] });
    for (const [i, value] of moved.points.entries()) {
      expect(value).toBeCloseTo(expected.points[i], 2);
      expect(Math.abs(value - landmarks.points[i])).toBeLessThan(0.25 * box.width);
    }
  });

  test.each([90, 180, 270])(
    'finds turned faces by boxes alone, also where a detector took them for upright ones (%i degrees)',
    async (angle) => {
      const turned = sharp(photo).rotate(angle);
      const { data, info } = await turned.png().toBuffer({ resolveWithObject: true });
      const [W, H] = [info.width, info.height];
      const place = (x: number, y: number): [number, number] =>
        angle === 90 ? [W - 1 - y, x] : angle === 180 ? [W - 1 - x, H - 1 - y] : [y, H - 1 - x];
      for (const face of faces.slice(0, 2)) {
        const truth = Array.from({ length: 68 }, (_, i) =>
          place(face.landmarks.points[3 * i], face.landmarks.points[3 * i + 1]),
        );
        const [xs, ys] = [truth.map(([x]) => x), truth.map(([, y]) => y)];
        const [x, y] = [Math.min(...xs), Math.min(...ys)];
        const [width, height] = [Math.max(...xs) - x, Math.max(...ys) - y];
        const radians = (angle * Math.PI) / 180;
        const mistaken = {
          x: x + 0.16 * height * Math.sin(radians),
          y: y + 0.16 * height * (1 - Math.cos(radians)),
          width,
          height,
        };
        for (const box of [{ x, y, width, height }, mistaken]) {
          const [found] = await landmarker.detect(data, { boxes: [box] });
          const error = truth.reduce(
            (sum, [u, v], i) =>
              sum + Math.hypot(found.landmarks.points[3 * i] - u, found.landmarks.points[3 * i + 1] - v) / 68,
            0,
          );
          expect(error / Math.sqrt(width * height)).toBeLessThan(0.06);
          expect(found.confidence).toBeGreaterThan(0.5);
        }
      }
    },
  );

  test('takes bytes, a Blob and addresses as it takes a path', async () => {
    const bytes = await readFile(photo);
    const address = `data:image/jpeg;base64,${bytes.toString('base64')}`;
    for (const source of [
      bytes,
      new Blob([bytes]),
      pathToFileURL(photo),
      pathToFileURL(photo).href,
      address,
    ]) {
      const same = await landmarker.detect(source);
      expect(same).toHaveLength(faces.length);
      expect(distance(same[0], faces[0])).toBeLessThan(1e-3);
    }
  });

  test('takes boxes, and gives volumes when asked for', async () => {
    const { box } = faces[0];
    const [face, ...others] = await landmarker.detect(photo, { boxes: [box], volume: true });
    expect(others).toHaveLength(0);
    expect(face.score).toBe(1);
    expect(distance(face, faces[0])).toBeLessThan(1e-2);
    const { values, shape } = face.volume!;
    expect(values).toHaveLength(shape.reduce((product, size) => product * size, 1));
    expect(Math.max(...values)).toBeGreaterThan(0);
  });

  test('follows faces through a video', async () => {
    const [first] = await landmarker.detectForVideo(photo, 0);
    const [second] = await landmarker.detectForVideo(photo, 40);
    expect(second.id).toBe(first.id);
    expect(distance(first, second)).toBeLessThan(0.1 * first.box.width);
    await expect(landmarker.detectForVideo(join(faceApi, 'nothing.jpg'), 80)).rejects.toThrow(/ENOENT/);
  });

  test('runs on the WebAssembly build with the same result; overlapping calls are done in turn', async () => {
    const wasm = await createFaceLandmarker({ runtime: 'onnxruntime-web', detector: 'tiny' });
    expect(wasm.runtime).toBe('onnxruntime-web');
    const boxes = [faces[0].box];
    const [[a], [b]] = await Promise.all([wasm.detect(photo, { boxes }), wasm.detect(photo, { boxes })]);
    expect(distance(a, faces[0])).toBeLessThan(0.5);
    expect(distance(a, b)).toBe(0);
    expect((await wasm.detect(photo)).length).toBeGreaterThan(1);
    wasm.dispose();
  });

  test('is disposed of by hand or by `using`, and says so afterwards', async () => {
    let kept: FaceLandmarker<PhotoSource>;
    {
      using scoped = await createFaceLandmarker({ detector: false });
      kept = scoped;
      await expect(kept.detect(photo)).rejects.toThrow(/expected boxes/);
    }
    await expect(kept.detect(photo)).rejects.toThrow(/was disposed/);
  });

  test.each([
    ['a model that is not there', { model: 'nothing' }, /expected a pretrained name .*got nothing/],
    ['a detector that is not there', { detector: 'huge' as 'tiny' }, /expected one of ssd, tiny, got huge/],
    ['bytes that are no model', { model: new Uint8Array([1, 2, 3]) }, /./],
  ])('%s is refused', async (_, options, message) => {
    await expect(createFaceLandmarker(options)).rejects.toThrow(message);
  });
});
