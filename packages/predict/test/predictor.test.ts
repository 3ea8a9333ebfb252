import {
  boxOf,
  cropAffine,
  flipLandmarks,
  fromUnit,
  IBUG_68,
  type Landmarks,
  MEAN_FACE_68,
  type Pixels,
  toUnit,
} from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import { type CropRunner, createCropPredictor } from '../src/index.ts';

const MEAN_UNIT = toUnit(MEAN_FACE_68, cropAffine(boxOf(MEAN_FACE_68)));

/** Answers every crop with the mean face, shifted right by the brightness of the crop's first pixel. */
function meanFaceRunner(calls: number[] = []): CropRunner {
  return {
    inputSize: 16,
    landmarks: 68,
    scheme: 'ibug-68',
    run: async (crops) => {
      calls.push(crops.length);
      return crops.flatMap((crop) =>
        Array.from(MEAN_UNIT.points, (value, i) => (i % 3 === 0 ? value + crop[0] / 2550 : value)),
      );
    },
  };
}

function expectClose(a: Landmarks, b: Landmarks, tolerance: number): void {
  const worst = a.points.reduce((most, value, i) => Math.max(most, Math.abs(value - b.points[i])), 0);
  expect(worst).toBeLessThan(tolerance);
}

describe('createCropPredictor', () => {
  const black: Pixels = { data: new Uint8Array(100 * 80 * 3), width: 100, height: 80, channels: 3 };
  const box = { x: 30, y: 20, width: 40, height: 40 };

  it('maps crop coordinates back to image pixels and reads the pose', async () => {
    const face = await createCropPredictor(meanFaceRunner()).predict(black, box);
    expectClose(face.landmarks, fromUnit(MEAN_UNIT, cropAffine(box)), 1e-4);
    const found = boxOf(face.landmarks);
    expect(found.x + found.width / 2).toBeCloseTo(50, 3);
    expect(Math.max(found.width, found.height)).toBeCloseTo(40, 3);
    expect(Math.abs(face.pose.yaw) + Math.abs(face.pose.pitch) + Math.abs(face.pose.roll)).toBeLessThan(1e-2);
  });

  it('averages with the mirrored crop', async () => {
    const size = 16;
    const crop = new Uint8Array(size * size * 3);
    crop[0] = 200;
    crop[3 * (size - 1)] = 100;
    const [unit] = await createCropPredictor(meanFaceRunner(), { flip: true }).predictUnit([crop]);
    const shifted = (by: number): Landmarks<3> => ({
      points: MEAN_UNIT.points.map((v, i) => (i % 3 === 0 ? v + by : v)),
      dims: 3,
    });
    const plain = shifted(200 / 2550);
    const mirrored = flipLandmarks(shifted(100 / 2550), IBUG_68, 1);
    const mean = { points: plain.points.map((v, i) => (v + mirrored.points[i]) / 2), dims: 3 as const };
    expectClose(unit, mean, 1e-6);
  });

  it('refines around the first landmarks', async () => {
    const calls: number[] = [];
    const face = await createCropPredictor(meanFaceRunner(calls), { refine: true }).predict(black, {
      x: 0,
      y: 0,
      width: 80,
      height: 20,
    });
    expect(calls).toEqual([1, 1]);
    expect(Math.max(face.box.width, face.box.height)).toBeCloseTo(80, 3);
    expect(face.box.height).toBeGreaterThan(60);
  });

  it('cuts thirty faces into batches, in order, and takes none', async () => {
    const calls: number[] = [];
    const predictor = createCropPredictor(meanFaceRunner(calls), { batchSize: 8 });
    const items = Array.from({ length: 30 }, (_, i) => ({
      image: black,
      box: { x: i, y: 10, width: 20, height: 20 },
    }));
    const faces = await predictor.predictBatch(items);
    expect(calls).toEqual([8, 8, 8, 6]);
    faces.forEach((face, i) => {
      const found = boxOf(face.landmarks);
      expect(found.x + found.width / 2).toBeCloseTo(i + 10, 3);
    });
    expect(await predictor.predictBatch([])).toEqual([]);
  });

  it('takes faces at the border, outside the picture and of a few pixels', async () => {
    const predictor = createCropPredictor(meanFaceRunner());
    for (const place of [
      { x: -20, y: -20, width: 40, height: 40 },
      { x: 90, y: 70, width: 40, height: 40 },
      { x: 500, y: 500, width: 10, height: 10 },
      { x: 50, y: 40, width: 2, height: 2 },
    ]) {
      const { landmarks } = await predictor.predict(black, place);
      expectClose(landmarks, fromUnit(MEAN_UNIT, cropAffine(place)), 1e-3);
    }
  });

  it('refuses empty boxes, unknown schemes with flip, and use after dispose', async () => {
    const predictor = createCropPredictor(meanFaceRunner());
    await expect(predictor.predict(black, { x: 0, y: 0, width: 0, height: 0 })).rejects.toThrow(
      /positive finite/,
    );
    await expect(predictor.predict(black, { x: Number.NaN, y: 0, width: 9, height: 9 })).rejects.toThrow(
      /cropAffine/,
    );
    expect(() => createCropPredictor({ ...meanFaceRunner(), scheme: 'other' }, { flip: true })).toThrow(
      /flip needs a scheme/,
    );
    predictor.dispose();
    await expect(predictor.predict(black, box)).rejects.toThrow(/was disposed/);
  });
});
