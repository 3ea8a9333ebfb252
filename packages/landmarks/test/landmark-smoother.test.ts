import { describe, expect, it } from 'vitest';
import { createLandmarkSmoother, createLandmarks, createRandom, type Landmarks } from '../src/index.ts';

const FRAME = 1 / 30;

/** Four corners of a face of `size` pixels at x, with noise of `noise` face sizes. */
function face(x: number, size: number, noise: () => number): Landmarks<2> {
  const corners = [0, 0, size, 0, 0, size, size, size];
  return createLandmarks(
    corners.map((value, i) => value + (i % 2 ? 0 : x) + size * noise()),
    2,
  );
}

describe('createLandmarkSmoother', () => {
  it('calms a still face to about a third of its jitter (0.35)', () => {
    const random = createRandom(3);
    const smoother = createLandmarkSmoother();
    let [raw, smooth] = [0, 0];
    for (let frame = 0; frame < 300; frame++) {
      const shape = face(50, 100, () => 0.005 * random.normal());
      const calm = smoother.smooth(shape, frame * FRAME);
      if (frame < 30) continue;
      raw += (shape.points[0] - 50) ** 2;
      smooth += (calm.points[0] - 50) ** 2;
    }
    expect(Math.sqrt(smooth / raw)).toBeLessThan(0.36);
  });

  it('lags less than a frame behind a face that crosses its own size each second', () => {
    const smoother = createLandmarkSmoother();
    const speed = 100;
    let lag = 0;
    for (let frame = 0; frame < 60; frame++) {
      const x = speed * frame * FRAME;
      lag =
        x -
        smoother.smooth(
          face(x, 100, () => 0),
          frame * FRAME,
        ).points[0];
    }
    expect(lag / speed).toBeGreaterThan(0);
    expect(lag / speed).toBeLessThan(FRAME);
  });

  it('does not depend on the size of the picture', () => {
    const [small, large] = [createLandmarkSmoother(), createLandmarkSmoother()];
    const random = createRandom(8);
    for (let frame = 0; frame < 20; frame++) {
      const shape = face(3 * frame, 100, () => 0.01 * random.normal());
      const enlarged = createLandmarks(
        shape.points.map((value) => 4 * value),
        2,
      );
      const a = small.smooth(shape, frame * FRAME);
      const b = large.smooth(enlarged, frame * FRAME);
      a.points.forEach((value, i) => {
        expect(4 * value).toBeCloseTo(b.points[i], 2);
      });
    }
  });

  it('is the filter of the paper, by hand for two frames', () => {
    const smoother = createLandmarkSmoother({ minCutoff: 2, beta: 3, derivativeCutoff: 1.5 });
    const first = createLandmarks([0, 0, 10, 20], 2);
    const second = createLandmarks([4, 0, 10, 20], 2);
    expect(smoother.smooth(first, 1).points).toEqual(first.points);
    const share = (cutoff: number): number => 1 / (1 + 1 / (2 * Math.PI * cutoff * 0.1));
    const speed = share(1.5) * (4 / 0.1);
    const expected = share(2 + (3 * speed) / 20) * 4;
    expect(smoother.smooth(second, 1.1).points[0]).toBeCloseTo(expected, 5);
  });

  it('starts again after a reset and refuses time that does not grow or another count', () => {
    const smoother = createLandmarkSmoother();
    smoother.smooth(
      face(0, 10, () => 0),
      5,
    );
    expect(() =>
      smoother.smooth(
        face(0, 10, () => 0),
        5,
      ),
    ).toThrow('time must grow, got 5 after 5 seconds');
    expect(() => smoother.smooth(createLandmarks([1, 2], 2), 6)).toThrow(
      'expected 8 coordinates as before, got 2',
    );
    smoother.reset();
    expect(smoother.smooth(createLandmarks([1, 2], 2), 0).points).toEqual(new Float32Array([1, 2]));
  });
});
