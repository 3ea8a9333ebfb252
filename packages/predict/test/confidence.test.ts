import {
  boxOf,
  boxOverlap,
  createRandom,
  cropAffine,
  type Landmarks,
  MEAN_FACE_68,
  toUnit,
} from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import { calibrateConfidence, fitLogistic } from '../src/calibrate-confidence.ts';
import { estimateConfidence, readVolume, type VolumeSize } from '../src/confidence.ts';
import { createCropPredictor } from '../src/index.ts';
import { turnInPlane } from '../src/upright-pass.ts';

const SIZE: VolumeSize = [20, 22, 18, 2];
const MEAN_UNIT = toUnit(MEAN_FACE_68, cropAffine(boxOf(MEAN_FACE_68)));
const random = createRandom(11);
/** Normal enough: mean 0, deviation 1. */
const normal = (): number => Array.from({ length: 12 }, () => random.next()).reduce((a, b) => a + b) - 6;

const moved = (shape: Landmarks<3>, by: () => number): Landmarks<3> => ({
  points: shape.points.map((value) => value + by()),
  dims: 3,
});

/** A blob of each landmark's colour at its place, times `height`, on noise. */
function draw(shape: Landmarks<3>, height: number, noise: number): Float32Array {
  const [h, w, d, c] = SIZE;
  const volume = Float32Array.from({ length: h * w * d * c }, () => noise * random.next());
  for (let i = 0; i < 68; i++) {
    const [x, y, z] = [0, 1, 2].map((k) => shape.points[3 * i + k]);
    const [px, py, pz] = [Math.round(x * w - 0.5), Math.round(y * h - 0.5), Math.round((z + 0.5) * d - 0.5)];
    for (const [dx, weight] of [
      [-1, 0.4],
      [0, 1],
      [1, 0.4],
    ]) {
      const at = ((py * w + Math.min(w - 1, Math.max(0, px + dx))) * d + pz) * c;
      volume[at] += (height * weight * i) / 67;
      volume[at + 1] += (height * weight * (67 - i)) / 67;
    }
  }
  return volume;
}

/** Half the crops hold a face, whose landmarks and blobs agree; in the others blobs are faint and elsewhere. */
function makeSample(isGood: boolean, place: (value: number, axis: number) => number = (value) => value) {
  const shape = moved(MEAN_UNIT, () => 0.01 * normal());
  shape.points.forEach((value, k) => {
    shape.points[k] = place(value, k % 3);
  });
  const found = isGood ? shape : moved(shape, () => 0.1 * normal());
  const volume = draw(isGood ? shape : MEAN_UNIT, isGood ? 0.1 : 0.02, 0.004);
  return {
    volume,
    found,
    sample: {
      reading: readVolume(volume, SIZE, found),
      isGood,
      accurate: new Array<boolean>(68).fill(isGood),
      // The first landmark is never seen, and nobody knows of the second.
      visible: Array.from({ length: 68 }, (_, i) => (i === 1 ? null : isGood && i !== 0)),
    },
  };
}

const calibration = calibrateConfidence(Array.from({ length: 60 }, (_, i) => makeSample(i % 2 === 0).sample));

describe('estimateConfidence', () => {
  it('is high where volume and landmarks agree and low where they do not', () => {
    for (const isGood of [true, false]) {
      const { volume, found } = makeSample(isGood);
      const result = estimateConfidence(volume, SIZE, found, calibration);
      expect(result.confidence > 0.8, `${isGood}: ${result.confidence}`).toBe(isGood);
      expect(result.confidence < 0.2).toBe(!isGood);
      expect(result.landmarkConfidence).toHaveLength(68);
      expect(result.landmarkConfidence.every((p) => (isGood ? p > 0.8 : p < 0.2))).toBe(true);
      expect(result.visibility[0]).toBeLessThan(0.1);
      expect(result.visibility[1]).toBe(0.5);
      expect(result.visibility[40] > 0.8).toBe(isGood);
    }
  });

  it('falls when blobs of one half of the face are wiped out', () => {
    const { volume, found } = makeSample(true);
    const whole = estimateConfidence(volume, SIZE, found, calibration);
    const covered = volume.map((value, k) => (k < volume.length / 2 ? value : 0));
    const half = estimateConfidence(covered, SIZE, found, calibration);
    expect(half.confidence).toBeLessThan(whole.confidence);
    // The chin is in the wiped half.
    expect(half.landmarkConfidence[8]).toBeLessThan(whole.landmarkConfidence[8]);
  });

  it('says of an empty volume and of landmarks that are no numbers that there is no face', () => {
    const empty = new Float32Array(20 * 22 * 18 * 2);
    expect(estimateConfidence(empty, SIZE, MEAN_UNIT, calibration).confidence).toBeLessThan(0.5);
  });

  it('refuses a calibration of another model', () => {
    const small = { ...calibration, colors: calibration.colors.slice(1) };
    expect(() => estimateConfidence(new Float32Array(0), SIZE, MEAN_UNIT, small)).toThrow(
      /68 landmarks and 2 colours/,
    );
    expect(() => calibrateConfidence([])).toThrow(/ten good and ten other/);
  });
});

describe('readVolume', () => {
  it('counts voxels that several landmarks share once, and those at the edge as they are', () => {
    const [h, w, d, c] = SIZE;
    const volume = Float32Array.from({ length: h * w * d * c }, () => random.next() - 0.2);
    // Two landmarks a voxel apart, one in a corner.
    const places = [
      [7, 9, 5],
      [8, 9, 6],
      [0, h - 1, d - 1],
    ];
    const points = places.flatMap(([x, y, z]) => [(x + 0.5) / w, (y + 0.5) / h, (z + 0.5) / d - 0.5]);
    const { peaks, sharpness, colors, explained, mass } = readVolume(volume, SIZE, {
      points: Float32Array.from(points),
      dims: 3,
    });
    let [energy, near, sum] = [0, 0, 0];
    const seen = places.map(() => ({ inner: 0, outer: 0, peak: -1, color: [0, 0] }));
    for (let voxel = 0; voxel < h * w * d; voxel++) {
      const at = [Math.floor(voxel / d) % w, Math.floor(voxel / d / w), voxel % d];
      const color = [...volume.subarray(voxel * c, voxel * c + c)];
      const own = color[0] ** 2 + color[1] ** 2;
      const total = Math.max(0, color[0] + color[1]);
      energy += own;
      sum += color[0] + color[1];
      const away = places.map((place) => Math.max(...place.map((value, k) => Math.abs(value - at[k]))));
      if (Math.min(...away) <= 2) near += own;
      seen.forEach((found, i) => {
        if (away[i] <= 2) found.outer += total;
        if (away[i] > 1) return;
        found.inner += total;
        if (total > found.peak) Object.assign(found, { peak: total, color });
      });
    }
    expect(explained).toBeCloseTo(near / energy, 12);
    expect(mass).toBeCloseTo(sum, 9);
    seen.forEach(({ inner, outer, peak, color }, i) => {
      expect(sharpness[i]).toBeCloseTo(inner / outer, 12);
      expect(peaks[i]).toBeCloseTo(peak, 12);
      expect([...colors.subarray(2 * i, 2 * i + 2)]).toEqual(color);
    });
  });
});

describe('fitLogistic', () => {
  it('finds the probabilities that the truth was drawn by', () => {
    const rows = Array.from({ length: 4000 }, () => [3 + 2 * normal(), 100 * normal()]);
    const chance = ([a, b]: number[]): number => 1 / (1 + Math.exp(-(0.5 * a - 0.01 * b - 1)));
    const { bias, weights } = fitLogistic(
      rows,
      rows.map((row) => random.next() < chance(row)),
    );
    expect(bias).toBeCloseTo(-1, 0);
    expect(Math.abs(weights[0] - 0.5)).toBeLessThan(0.08);
    expect(Math.abs(weights[1] + 0.01)).toBeLessThan(0.002);
  });

  it("takes Laplace's rule where everything came true", () => {
    expect(fitLogistic([[1], [2], [3]], [true, true, true])).toEqual({
      bias: Number(Math.log(4).toPrecision(6)),
      weights: [0],
    });
  });
});

/**
 * A runner that keeps the sizes of its batches; `shows` tells in which crop of the batch at hand a face is seen, `place` where in it.
 */
function lookingRunner(
  looks: number[],
  shows: (i: number) => boolean,
  place?: (value: number, axis: number) => number,
) {
  return {
    inputSize: 16,
    landmarks: 68,
    scheme: 'ibug-68',
    run: async () => [],
    confidence: {
      calibration,
      size: SIZE,
      run: async (batch: readonly Uint8Array[]) => {
        looks.push(batch.length);
        const made = batch.map((_, i) => makeSample(shows(i), shows(i) ? place : undefined));
        const volumes = Float32Array.from(made.flatMap(({ volume }) => [...volume]));
        const points = made.flatMap(({ found }) => [...found.points]);
        return { points, volumes };
      },
    },
  };
}

describe('a predictor with a calibration', () => {
  const black = { data: new Uint8Array(60 * 50 * 3), width: 60, height: 50, channels: 3 } as const;
  const box = { x: 20, y: 10, width: 20, height: 22 };

  it('tells confidences, and looks at doubtful faces in quarter turns', async () => {
    const looks: number[] = [];
    // The second crop of several shows a face, the others nothing.
    const runner = lookingRunner(looks, (i) => looks.at(-1)! > 1 && i === 1);
    const options = { upright: false } as const;
    const found = await createCropPredictor(runner, options).predict(black, box);
    // One look upright, three in quarter turns, of which the second, upside down, is the face; one more around what was found.
    expect(looks).toEqual([1, 3, 1]);
    expect(found.confidence).toBeGreaterThan(0.8);
    expect(Math.abs(found.pose.roll)).toBeGreaterThan(150);
    expect(found.landmarkConfidence).toHaveLength(68);
    looks.length = 0;
    const once = await createCropPredictor(runner, {
      ...options,
      quarterTurns: false,
      refine: false,
    }).predict(black, box);
    expect(looks).toEqual([1]);
    expect(once.confidence).toBeLessThan(0.2);
  });

  it('looks at what stays doubtful in wider crops, and again around what they show', async () => {
    const looks: number[] = [];
    // The third of the last four crops, the upside-down one, shows the face.
    const runner = lookingRunner(looks, (i) => looks.length === 4 && i === 2);
    const found = await createCropPredictor(runner, { upright: false }).predict(black, box);
    expect(looks).toEqual([1, 3, 4, 4, 1]);
    expect(found.confidence).toBeGreaterThan(0.8);
    expect(Math.abs(found.pose.roll)).toBeGreaterThan(150);
  });

  it('does not go over to a neighbour whom a wider crop shows', async () => {
    for (const [aside, isNeighbour] of [
      [0, false],
      [0.3, true],
    ] as const) {
      const looks: number[] = [];
      const place = (value: number, axis: number) => 0.5 + 0.6 * (value - 0.5) + (axis === 0 ? aside : 0);
      const runner = lookingRunner(looks, (i) => looks.length === 4 && i === 2, place);
      const { confidence, landmarks } = await createCropPredictor(runner, { upright: false }).predict(
        black,
        box,
      );
      expect(confidence! > 0.8).toBe(!isNeighbour);
      expect(boxOverlap(boxOf(landmarks), box)).toBeGreaterThan(0.25);
    }
  });

  it('does not turn a head around for an answer that is as doubtful', async () => {
    const predictor = createCropPredictor(
      lookingRunner([], () => false),
      { upright: false },
    );
    for (let look = 0; look < 12; look++) {
      const { confidence, landmarks } = await predictor.predict(black, box);
      expect(confidence).toBeLessThan(0.2);
      expect(Math.abs(turnInPlane(landmarks))).toBeLessThan(60);
    }
  });
});
