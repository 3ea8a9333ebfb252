import {
  type Box,
  boxOf,
  cropAffine,
  type Landmarks,
  MEAN_FACE_68,
  type Pixels,
  toUnit,
} from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import { createCropPredictor, createFaceTracker, type FaceDetector, type Predictor } from '../src/index.ts';

const MEAN_UNIT = toUnit(MEAN_FACE_68, cropAffine(boxOf(MEAN_FACE_68)));

/** A predictor that finds the mean face around the brightest pixel of the crop, of the crop's size. */
function spotPredictor(): Predictor {
  return createCropPredictor({
    inputSize: 32,
    landmarks: 68,
    scheme: 'ibug-68',
    run: async (crops) =>
      crops.flatMap((crop) => {
        let best = 0;
        crop.forEach((value, i) => {
          if (value > crop[best]) best = i;
        });
        const pixel = Math.floor(best / 3);
        const dx = crop[best] > 0 ? ((pixel % 32) + 0.5) / 32 - 0.5 : 0;
        const dy = crop[best] > 0 ? (Math.floor(pixel / 32) + 0.5) / 32 - 0.5 : 0;
        return Array.from(MEAN_UNIT.points, (v, i) => v + [dx, dy, 0][i % 3]);
      }),
  });
}

/** Frames of 100 x 100 pixels with bright spots of 3 x 3 pixels. */
function frameOf(...spots: [number, number][]): Pixels {
  const data = new Uint8Array(100 * 100 * 3);
  for (const [x, y] of spots) {
    for (let i = -1; i <= 1; i++) {
      for (let j = -1; j <= 1; j++)
        data.fill(
          255 - 40 * Math.abs(i) - 40 * Math.abs(j),
          3 * ((y + i) * 100 + x + j),
          3 * ((y + i) * 100 + x + j) + 3,
        );
    }
  }
  return { data, width: 100, height: 100, channels: 3 };
}

function detectorOf(spots: () => [number, number][]): FaceDetector & { calls: number } {
  return {
    calls: 0,
    async detect() {
      this.calls += 1;
      return spots().map(([x, y]) => ({ box: { x: x - 12, y: y - 12, width: 24, height: 24 }, score: 0.9 }));
    },
    dispose() {},
  };
}

function centerOf(landmarks: Landmarks): [number, number] {
  const box: Box = boxOf(landmarks);
  return [box.x + box.width / 2, box.y + box.height / 2];
}

describe('createFaceTracker', () => {
  it('follows a moving face and asks the detector only now and then', async () => {
    let spot: [number, number] = [30, 50];
    const detector = detectorOf(() => [spot]);
    const tracker = createFaceTracker(spotPredictor(), detector, { detectEvery: 10, smoothing: false });
    for (let i = 0; i < 20; i++) {
      spot = [30 + 2 * i, 50];
      const faces = await tracker.track(frameOf(spot), i / 30);
      expect(faces.map((face) => face.id)).toEqual([1]);
      const [x, y] = centerOf(faces[0].landmarks);
      expect(Math.abs(x - spot[0]) + Math.abs(y - spot[1])).toBeLessThan(2);
    }
    expect(detector.calls).toBe(2);
  });

  it('looks for a face where it goes: one that gets faster stays in its crop', async () => {
    const xs = [12, 20, 32, 48, 68, 92];
    const detector = detectorOf(() => [[12, 50]]);
    const tracker = createFaceTracker(spotPredictor(), detector, { smoothing: false });
    for (const [i, x] of xs.entries()) {
      const faces = await tracker.track(frameOf([x, 50]), i / 30);
      expect(faces.map(({ id }) => id)).toEqual([1]);
      expect(Math.abs(centerOf(faces[0].landmarks)[0] - x)).toBeLessThan(2);
    }
    expect(detector.calls).toBe(1);
  });

  it('frames a new face by its own landmarks in the first frame already', async () => {
    const spot: [number, number] = [50, 50];
    // The predictor's answer depends on the crop; the detector's box is off by a quarter of the face.
    const base = spotPredictor();
    const boxes: Box[][] = [];
    const predictor: Predictor = {
      ...base,
      predictBatch: async (items) => {
        boxes.push(items.map(({ box }) => box));
        return base.predictBatch(items);
      },
    };
    const detector = detectorOf(() => [[spot[0] + 6, spot[1] - 4]]);
    const tracker = createFaceTracker(predictor, detector, { smoothing: false });
    const nose = async (seconds: number) => {
      const [{ landmarks }] = await tracker.track(frameOf(spot), seconds);
      return [landmarks.points[90], landmarks.points[91]];
    };
    const first = await nose(0);
    expect(boxes).toHaveLength(2);
    expect(boxes[1][0].x + boxes[1][0].width / 2).toBeCloseTo(spot[0], 0);
    const second = await nose(1);
    expect(boxes).toHaveLength(3);
    expect(Math.hypot(first[0] - second[0], first[1] - second[1])).toBeLessThan(1);
  });

  it('keeps identities while faces cross the picture, one is lost, and it comes back', async () => {
    let spots: [number, number][] = [];
    const lost: number[] = [];
    const tracker = createFaceTracker(
      spotPredictor(),
      detectorOf(() => spots),
      { maxFaces: 3, detectEvery: 4, smoothing: false, onLost: (id) => lost.push(id) },
    );
    const seen: number[][] = [];
    for (let i = 0; i < 24; i++) {
      // One face goes right, one goes left on another height; the third is there, hidden for frames 8 to 15, and back.
      spots = [
        [20 + 2.5 * i, 22],
        [80 - 2.5 * i, 78],
      ];
      if (i < 8 || i >= 16) spots.push([50, 50]);
      const faces = await tracker.track(frameOf(...spots), i / 30);
      seen.push(faces.map(({ id }) => id));
      for (const { id, landmarks } of faces) {
        const [x, y] = centerOf(landmarks);
        const [sx, sy] = spots[id === 1 ? 0 : id === 2 ? 1 : 2] ?? [x, y];
        expect(Math.hypot(x - sx, y - sy)).toBeLessThan(3);
      }
    }
    expect(seen[0]).toEqual([1, 2, 3]);
    expect(seen[7]).toEqual([1, 2, 3]);
    expect(lost).toEqual([3]);
    // Lost and found again at the latest when the detector looks next.
    expect(seen[12]).toEqual([1, 2]);
    expect(seen[20]).toEqual([1, 2, 3]);
    expect(seen[23]).toEqual([1, 2, 3]);
  });

  it.each([true, false])(
    'drops the one behind where two faces cross, and finds it again under its number (older in front: %s)',
    async (isOlderInFront) => {
      const lost: number[] = [];
      const spotsAt = (i: number): [number, number][] => [
        [20 + 2 * i, 50],
        [80 - 2 * i, 50],
      ];
      let spots = spotsAt(0);
      const tracker = createFaceTracker(
        spotPredictor(),
        detectorOf(() => spots),
        { maxFaces: 2, detectEvery: 5, smoothing: false, onLost: (id) => lost.push(id) },
      );
      const front = isOlderInFront ? 1 : 2;
      const seen: number[][] = [];
      for (let i = 0; i <= 28; i++) {
        spots = spotsAt(i);
        // Near each other only the one in front is seen.
        const isHidden = Math.abs(spots[0][0] - spots[1][0]) < 18;
        if (isHidden) spots = [spots[front - 1]];
        const faces = await tracker.track(frameOf(...spots), i / 30);
        seen.push(faces.map(({ id }) => id));
        const [x] = centerOf(faces.find(({ id }) => id === front)!.landmarks);
        expect(Math.abs(x - spotsAt(i)[front - 1][0])).toBeLessThan(3);
      }
      expect(seen[0]).toEqual([1, 2]);
      expect(lost).toEqual([3 - front]);
      expect(seen[15]).toEqual([front]);
      expect(seen[28]).toEqual([front, 3 - front]);
    },
  );

  it('gives a new face a new number, and none when there is none', async () => {
    let spots: [number, number][] = [];
    const detector = detectorOf(() => spots);
    const tracker = createFaceTracker(spotPredictor(), detector, { maxFaces: 2, detectEvery: 1 });
    expect(await tracker.track(frameOf(), 0)).toEqual([]);
    spots = [[25, 30]];
    expect((await tracker.track(frameOf(...spots), 1)).map((face) => face.id)).toEqual([1]);
    spots = [
      [25, 30],
      [70, 60],
    ];
    expect((await tracker.track(frameOf(...spots), 2)).map((face) => face.id)).toEqual([1, 2]);
    spots = [[70, 60]];
    expect((await tracker.track(frameOf(...spots), 3)).map((face) => face.id)).toEqual([2]);
    tracker.reset();
    expect((await tracker.track(frameOf(...spots), 0)).map((face) => face.id)).toEqual([3]);
  });

  it('ends a track when the confidence falls, says so, and finds the face again under its number', async () => {
    const spot: [number, number] = [40, 50];
    let confidence = 0.9;
    const base = spotPredictor();
    const predictor: Predictor = {
      ...base,
      predictBatch: async (items) =>
        (await base.predictBatch(items)).map((face) => ({ ...face, confidence })),
    };
    const lost: [number, number][] = [];
    const onLost = (id: number, seconds: number): void => void lost.push([id, seconds]);
    const tracker = createFaceTracker(
      predictor,
      detectorOf(() => [spot]),
      { smoothing: false, onLost },
    );
    const idsAt = async (seconds: number) =>
      (await tracker.track(frameOf(spot), seconds)).map(({ id }) => id);
    expect(await idsAt(0)).toEqual([1]);
    confidence = 0.02;
    expect(await idsAt(1)).toEqual([]);
    expect(lost).toEqual([[1, 1]]);
    confidence = 0.9;
    expect(await idsAt(2)).toEqual([1]);
    expect(lost).toHaveLength(1);
  });

  it('follows at most maxFaces', async () => {
    const detector = detectorOf(() => [
      [20, 20],
      [60, 20],
      [40, 70],
    ]);
    const tracker = createFaceTracker(spotPredictor(), detector, { maxFaces: 2 });
    expect(await tracker.track(frameOf([20, 20], [60, 20], [40, 70]), 0)).toHaveLength(2);
  });

  it('smooths over time', async () => {
    const spots: [number, number][] = Array.from({ length: 12 }, (_, i) => [50 + (i % 2 === 0 ? 1 : -1), 50]);
    const spread = async (smoothing: false | undefined): Promise<number> => {
      let at = spots[0];
      const tracker = createFaceTracker(
        spotPredictor(),
        detectorOf(() => [at]),
        { smoothing, detectEvery: 100 },
      );
      const xs: number[] = [];
      for (const [i, spot] of spots.entries()) {
        at = spot;
        xs.push(centerOf((await tracker.track(frameOf(spot), i / 30))[0].landmarks)[0]);
      }
      return Math.max(...xs.slice(4)) - Math.min(...xs.slice(4));
    };
    expect(await spread(undefined)).toBeLessThan(0.8 * (await spread(false)));
  });
});
