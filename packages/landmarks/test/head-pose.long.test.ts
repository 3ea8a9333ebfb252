import { findData, readNpy } from '@voxface/test-utils/node';
import { describe, expect, it } from 'vitest';
import {
  createLandmarks,
  createRandom,
  type HeadPose,
  headPose,
  type Landmarks,
  MEAN_FACE_68,
  poseOfRotation,
  rotationOfPose,
} from '../src/index.ts';

function turn(shape: Landmarks<3>, rotation: ArrayLike<number>, scale = 1, shift = 0): Landmarks<3> {
  const points = Float32Array.from(shape.points, (_, i) => {
    const [r, from] = [i % 3, i - (i % 3)];
    const row = [0, 1, 2].map((c) => rotation[r * 3 + c] * shape.points[from + c]);
    return scale * (row[0] + row[1] + row[2]) + shift;
  });
  return { points, dims: 3 };
}

function expectPose(actual: HeadPose, expected: HeadPose, digits = 4): void {
  expect(actual.yaw).toBeCloseTo(expected.yaw, digits);
  expect(actual.pitch).toBeCloseTo(expected.pitch, digits);
  expect(actual.roll).toBeCloseTo(expected.roll, digits);
}

describe('headPose', () => {
  it('is zero for the mean face and does not depend on size or place', () => {
    expectPose(headPose(MEAN_FACE_68), { yaw: 0, pitch: 0, roll: 0 }, 5);
    expectPose(
      headPose(turn(MEAN_FACE_68, [1, 0, 0, 0, 1, 0, 0, 0, 1], 83, 211)),
      { yaw: 0, pitch: 0, roll: 0 },
      3,
    );
  });

  it('has yaw right-positive, pitch up-positive, roll clockwise-positive', () => {
    const nose = (pose: HeadPose): Float32Array =>
      turn(MEAN_FACE_68, rotationOfPose(pose)).points.slice(90, 93);
    expect(nose({ yaw: 30, pitch: 0, roll: 0 })[0]).toBeGreaterThan(0.1);
    expect(nose({ yaw: 0, pitch: 30, roll: 0 })[1]).toBeLessThan(
      nose({ yaw: 0, pitch: 0, roll: 0 })[1] - 0.1,
    );
    const tilted = turn(MEAN_FACE_68, rotationOfPose({ yaw: 0, pitch: 0, roll: 20 })).points;
    // Clockwise on screen: the eye corner at the viewer's right (45) goes down, the one at the left (36) goes up.
    expect(tilted[45 * 3 + 1]).toBeGreaterThan(tilted[36 * 3 + 1]);
  });

  it('recovers drawn poses, also with yaw beyond 90 degrees', () => {
    const random = createRandom(7);
    for (let i = 0; i < 200; i++) {
      const yaw = random.uniform(-120, 120);
      // At a yaw near 90 pitch and roll run together; elsewhere they are drawn.
      const free = Math.abs(Math.abs(yaw) - 90) > 2;
      const pose = {
        yaw,
        pitch: free ? random.uniform(-40, 40) : 0,
        roll: free ? random.uniform(-40, 40) : 0,
      };
      expectPose(poseOfRotation(rotationOfPose(pose)), pose, 6);
      if (free) expectPose(headPose(turn(MEAN_FACE_68, rotationOfPose(pose), 60, -20)), pose, 2);
    }
  });

  it.each([90, -90])('keeps the whole rotation at a yaw of %i', (yaw) => {
    const pose = poseOfRotation(rotationOfPose({ yaw, pitch: 25, roll: 0 }));
    expectPose(pose, { yaw, pitch: 25, roll: 0 }, 6);
    const mixed = rotationOfPose({ yaw, pitch: 10, roll: 15 });
    const again = rotationOfPose(poseOfRotation(mixed));
    mixed.forEach((value, i) => {
      expect(again[i]).toBeCloseTo(value, 6);
    });
  });

  it('takes the branch with |pitch| <= 90, for heads upside down too', () => {
    const hanging = { yaw: 20, pitch: 30, roll: 170 };
    expectPose(poseOfRotation(rotationOfPose(hanging)), hanging, 6);
    const thrown = poseOfRotation(rotationOfPose({ yaw: 0, pitch: 100, roll: 0 }));
    expect(thrown.pitch).toBeCloseTo(-80, 6);
    expect(Math.abs(thrown.yaw)).toBeCloseTo(180, 6);
    expect(Math.abs(thrown.roll)).toBeCloseTo(180, 6);
  });

  it('takes the 66 landmarks of 3DFAW', () => {
    const face = turn(MEAN_FACE_68, rotationOfPose({ yaw: 35, pitch: -12, roll: 5 }));
    const kept = Array.from({ length: 68 }, (_, i) => i).filter((i) => i !== 60 && i !== 64);
    const points = kept.flatMap((i) => [...face.points.subarray(3 * i, 3 * i + 3)]);
    expectPose(headPose(createLandmarks(points, 3)), { yaw: 35, pitch: -12, roll: 5 }, 3);
  });

  it('refuses 2D landmarks, other counts and points that all coincide', () => {
    expect(() => headPose(createLandmarks(new Float32Array(136), 2) as never)).toThrow('got [68, 2]');
    expect(() => headPose(createLandmarks(new Float32Array(63), 3))).toThrow('got [21, 3]');
    expect(() => headPose(createLandmarks(new Float32Array(204), 3))).toThrow('must not all coincide');
  });
});

const annotations = findData('aflw2000-3d/annotations');

describe.skipIf(!annotations)(`headPose on AFLW2000-3D${annotations ? '' : ' (data set absent)'}`, () => {
  it('agrees with the annotated yaw of the 2000 faces: mean error 0.42 degrees', () => {
    const shapes = readNpy(`${annotations}/AFLW2000-3D.pts68.npy`).data;
    const fitted = readNpy(`${annotations}/AFLW2000-3D.pose.npy`).data;
    const errors: number[] = [];
    let past = 0;
    for (let face = 0; face < 2000; face++) {
      const points = Float32Array.from({ length: 204 }, (_, i) => {
        const value = shapes[face * 204 + (i % 3) * 68 + Math.floor(i / 3)];
        return i % 3 === 2 ? -value : value;
      });
      // The annotation turns the other way. Seven of its values pass 90 degrees (up to 351); all others stay on the
      // branch below 90, so the 21 faces that we find turned past profile are folded back onto it.
      if (Math.abs(fitted[face]) > 90) continue;
      const { yaw } = headPose({ points, dims: 3 });
      const folded = Math.abs(yaw) > 90 ? 180 * Math.sign(yaw) - yaw : yaw;
      if (folded !== yaw) past++;
      errors.push(Math.abs(folded + fitted[face]));
    }
    errors.sort((a, b) => a - b);
    expect(errors).toHaveLength(1993);
    expect(past).toBe(21);
    const mean = errors.reduce((sum, value) => sum + value, 0) / errors.length;
    expect(mean).toBeCloseTo(0.42, 2);
    expect(errors[Math.floor(0.95 * errors.length)]).toBeLessThan(1.4);
    expect(errors.at(-1)).toBeLessThan(6);
  });
});
