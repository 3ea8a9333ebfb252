import {
  type Affine,
  type Box,
  boxOf,
  cropAffine,
  flipLandmarks,
  fromUnit,
  IBUG_68,
  type Landmarks,
  MEAN_FACE_68,
  type Pixels,
  toUnit,
  transformLandmarks,
} from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import { type CropRunner, createCropPredictor } from '../src/index.ts';
import { turnInPlane } from '../src/upright-pass.ts';

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

/** Answers with the middle of what is red in a crop, for every landmark; the odd ones lie deeper. */
function brightRunner(calls: number[]): CropRunner {
  const inputSize = 96;
  return {
    inputSize,
    landmarks: 68,
    scheme: 'ibug-68',
    run: async (crops) => {
      calls.push(crops.length);
      return crops.flatMap((crop) => {
        const sums = [0, 0, 0];
        for (let k = 0; k < inputSize ** 2; k++) {
          const red = crop[3 * k];
          sums[0] += red * ((k % inputSize) + 0.5);
          sums[1] += red * (Math.floor(k / inputSize) + 0.5);
          sums[2] += red;
        }
        const [x, y] = [sums[0] / sums[2] / inputSize, sums[1] / sums[2] / inputSize];
        return Array.from({ length: 68 }, (_, i) => [x, y, i % 2 === 0 ? 0.5 : 0.75]).flat();
      });
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

  it('averages over crops that are turned and scaled about their middle', async () => {
    const calls: number[] = [];
    const options = { crops: 3, upright: false } as const;
    const face = await createCropPredictor(meanFaceRunner(calls), options).predict(black, box);
    expect(calls).toEqual([3]);
    // The runner answers every crop with one face: turned by 0, 12 and -12 degrees it lies in the picture.
    const plain = fromUnit(MEAN_UNIT, cropAffine(box));
    const shrunk = (1 + 2 * Math.cos((12 * Math.PI) / 180)) / 3;
    const expected = plain.points.map((value, i) =>
      i % 3 === 2 ? value : [50, 40][i % 3] + shrunk * (value - [50, 40][i % 3]),
    );
    expectClose(face.landmarks, { points: expected, dims: 3 }, 1e-4);
  });

  it.each([1, 2, 5, 9])('finds what the picture shows in each of %i crops', async (crops) => {
    const picture: Pixels = { data: new Uint8Array(100 * 80 * 3), width: 100, height: 80, channels: 3 };
    for (let y = 24; y <= 28; y++) for (let x = 40; x <= 44; x++) picture.data[3 * (100 * y + x)] = 250;
    const calls: number[] = [];
    const face = await createCropPredictor(brightRunner(calls), { crops, upright: false }).predict(
      picture,
      box,
    );
    expect(calls.reduce((sum, count) => sum + count, 0)).toBe(crops);
    expect(Math.abs(face.landmarks.points[0] - 42)).toBeLessThan(0.3);
    expect(Math.abs(face.landmarks.points[1] - 26)).toBeLessThan(0.3);
    // Depth in the crop's unit is a quarter of its side, whose sides differ by up to 8 %.
    const side = 0.25 / Math.abs(cropAffine(box)[0]);
    expect(Math.abs(face.landmarks.points[5] - face.landmarks.points[2])).toBeGreaterThan(0.93 * side);
    expect(Math.abs(face.landmarks.points[5] - face.landmarks.points[2])).toBeLessThan(1.08 * side);
  });

  it.each([0, 10, 2.5])('refuses %d crops', (crops) => {
    expect(() => createCropPredictor(meanFaceRunner(), { crops })).toThrow(
      /crops must be a whole number in 1..9/,
    );
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

  it('predicts again where the given box is not that of the landmarks', async () => {
    const good = boxOf(fromUnit(MEAN_UNIT, cropAffine({ x: 10, y: 14, width: 80, height: 76 })));
    for (const [box, refine, looks] of [
      [good, undefined, [1]],
      [{ ...good, height: 0.7 * good.height }, undefined, [1, 1]],
      [{ ...good, height: 0.7 * good.height }, 0.6, [1]],
      [{ ...good, height: 0.7 * good.height }, false, [1]],
      [good, true, [1, 1]],
    ] as const) {
      const calls: number[] = [];
      const face = await createCropPredictor(meanFaceRunner(calls), { refine }).predict(black, box);
      expect(calls).toEqual(looks);
      // The box that the last crop was cut around.
      expect(face.box.height).toBeCloseTo(looks.length > 1 ? good.height : box.height, 3);
    }
    expect(() => createCropPredictor(meanFaceRunner(), { refine: 80 })).toThrow(
      /refine must be a share in 0\.\.1/,
    );
  });

  describe('upright', () => {
    /** Black but for white eyes; the runner below finds the turn of the head by where they are. */
    const drawHead = (turn: number): { image: Pixels; box: Box; truth: Landmarks<3> } => {
      const radians = (turn * Math.PI) / 180;
      const [cos, sin] = [Math.cos(radians), Math.sin(radians)];
      const frontal = fromUnit(MEAN_UNIT, cropAffine({ x: -40, y: -40, width: 80, height: 80 }));
      const truth = transformLandmarks(frontal, [cos, sin, -sin, cos, 90, 80]);
      const data = new Uint8Array(180 * 160 * 3);
      for (const [from, to] of [
        [36, 42],
        [42, 48],
      ]) {
        for (let i = from; i < to; i++) {
          const [x, y] = [Math.round(truth.points[3 * i]), Math.round(truth.points[3 * i + 1])];
          for (let dy = -3; dy <= 3; dy++) {
            for (let dx = -3; dx <= 3; dx++)
              data.fill(255, 3 * ((y + dy) * 180 + x + dx), 3 * ((y + dy) * 180 + x + dx) + 3);
          }
        }
      }
      return { image: { data, width: 180, height: 160, channels: 3 }, box: boxOf(truth), truth };
    };
    /** Knows heads turned by at most 40 degrees in its crop and takes any other for one turned by 40. */
    const shyRunner = (calls: number[]): CropRunner => {
      const size = 40;
      return {
        inputSize: size,
        landmarks: 68,
        scheme: 'ibug-68',
        run: async (crops) => {
          calls.push(crops.length);
          return crops.flatMap((crop) => {
            let [x, y, sum] = [0, 0, 0];
            for (let i = 0; i < size * size; i++) {
              sum += crop[3 * i];
              x += crop[3 * i] * ((i % size) + 0.5 - size / 2);
              y += crop[3 * i] * (Math.floor(i / size) + 0.5 - size / 2);
            }
            const seen = Math.atan2(x / sum, -y / sum);
            const turn = Math.max(-0.7, Math.min(0.7, seen));
            const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
            const about: Affine = [
              cos,
              sin,
              -sin,
              cos,
              0.5 - 0.5 * cos + 0.5 * sin,
              0.5 - 0.5 * sin - 0.5 * cos,
            ];
            return Array.from(transformLandmarks(MEAN_UNIT, about).points);
          });
        },
      };
    };

    it.each([55, -70, 95])(
      'finds a head turned by %i degrees in steps that the network knows',
      async (turn) => {
        const { image, box, truth } = drawHead(turn);
        const calls: number[] = [];
        const { landmarks } = await createCropPredictor(shyRunner(calls)).predict(image, box);
        expect(calls.length).toBeGreaterThan(1);
        expect(calls.length).toBeLessThanOrEqual(4);
        // The runner answers in the scale of its crop; what it knows of the face is the direction.
        expect(Math.abs(turnInPlane(landmarks) - turn)).toBeLessThan(12);
        const [found, given] = [boxOf(landmarks), boxOf(truth)];
        expect(Math.abs(found.x + found.width / 2 - given.x - given.width / 2)).toBeLessThan(6);
        const once = await createCropPredictor(shyRunner([]), { upright: false }).predict(image, box);
        expect(Math.abs(turnInPlane(once.landmarks) - turn)).toBeGreaterThan(14);
      },
    );

    it('costs nothing for heads that stand upright, and takes only the turned ones again', async () => {
      const calls: number[] = [];
      const items = [8, 60, -12].map(drawHead);
      await createCropPredictor(shyRunner(calls)).predictBatch(items);
      expect(calls[0]).toBe(3);
      expect(calls.slice(1).every((count) => count === 1)).toBe(true);
    });

    it('leaves landmarks that form no face as they are', async () => {
      const point: CropRunner = {
        ...meanFaceRunner(),
        run: async () => new Float32Array(3 * 68).fill(0.5),
      };
      const { landmarks } = await createCropPredictor(point).predict(black, box);
      expect(landmarks.points.slice(0, 2)).toEqual(landmarks.points.slice(3, 5));
    });

    it('takes an answer that fell together in a turned crop for an answer, not for an error', async () => {
      const runner = { ...meanFaceRunner(), run: async () => new Float32Array(68 * 3).fill(0.4) };
      const face = await createCropPredictor(runner).predict(black, box, 90);
      const { width, height } = boxOf(face.landmarks);
      expect(Math.max(width, height)).toBeLessThan(1e-3);
    });

    it('refuses 0 and 200 degrees', () => {
      for (const upright of [0, 200, Number.NaN]) {
        expect(() => createCropPredictor(shyRunner([]), { upright })).toThrow(/upright must be degrees/);
      }
    });
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

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e39])('refuses a network that gives %d', async (value) => {
    const predictor = createCropPredictor({
      inputSize: 8,
      landmarks: 68,
      scheme: 'ibug-68',
      run: async (crops) =>
        crops.flatMap(() => Array.from({ length: 204 }, (_, i) => (i === 17 ? value : 0.5))),
    });
    await expect(predictor.predict(black, { x: 1, y: 1, width: 9, height: 9 })).rejects.toThrow(
      /predict: landmarks must be finite, got (NaN|Infinity) at landmark 5 \(is the model's file damaged/,
    );
  });

  it.each([
    [[null], /predictBatch: a face must be \{ image, box \}, got null/],
    [[black], /predict: the box must be \{ x, y, width, height \} in pixels, got undefined/],
    [['photo.jpg'], /a face must be \{ image, box \}, got "photo.jpg"/],
    [
      [{ image: black, box, turn: Number.NaN }],
      /predict: the turn must be a finite number of degrees, got NaN/,
    ],
  ])('names what is no face: %j', async (items, message) => {
    await expect(createCropPredictor(meanFaceRunner()).predictBatch(items as never)).rejects.toThrow(message);
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
