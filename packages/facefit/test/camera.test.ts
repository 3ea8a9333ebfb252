import { readFileSync } from 'node:fs';
import { poseOfRotation, rotationOfPose } from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import { fitWeakPerspective } from '../src/weak-perspective.ts';

const golden = JSON.parse(
  readFileSync(new URL('./golden/rotation-and-camera.json', import.meta.url), 'utf8'),
) as {
  rotations: { pose: { yaw: number; pitch: number; roll: number }; matrix: number[] }[];
  cameras: {
    points: number[];
    targets: number[];
    weights: number[];
    rotation: number[];
    scale: number;
    translation: number[];
  }[];
};

describe('rotationOfPose and poseOfRotation', () => {
  it.each(golden.rotations)('agrees with SciPy at yaw $pose.yaw', ({ pose, matrix }) => {
    const rotation = rotationOfPose(pose);
    for (const [i, value] of matrix.entries()) expect(rotation[i]).toBeCloseTo(value, 12);
    const back = poseOfRotation(matrix);
    expect(back.yaw).toBeCloseTo(pose.yaw, 8);
    expect(back.pitch).toBeCloseTo(pose.pitch, 8);
    expect(back.roll).toBeCloseTo(pose.roll, 8);
  });

  it('turns the nose to the right of the picture for a positive yaw, up for a positive pitch', () => {
    const right = rotationOfPose({ yaw: 30, pitch: 0, roll: 0 });
    const up = rotationOfPose({ yaw: 0, pitch: 30, roll: 0 });
    // The nose points along -z of the head.
    expect(-right[2]).toBeCloseTo(0.5, 12);
    expect(-up[5]).toBeCloseTo(-0.5, 12);
  });
});

describe('fitWeakPerspective', () => {
  it.each(golden.cameras)('finds the least squares camera that SciPy finds', (camera) => {
    const found = fitWeakPerspective(camera.points, camera.targets, camera.weights, 20);
    for (const [i, value] of camera.rotation.entries()) expect(found.rotation[i]).toBeCloseTo(value, 6);
    expect(found.scale).toBeCloseTo(camera.scale, 5);
    expect(found.translation[0]).toBeCloseTo(camera.translation[0], 4);
    expect(found.translation[1]).toBeCloseTo(camera.translation[1], 4);
  });

  it('refuses points in one plane', () => {
    const points = [0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0, 2, 1, 0];
    expect(() => fitWeakPerspective(points, new Float64Array(10), [1, 1, 1, 1, 1])).toThrow(
      /not in one plane/,
    );
  });
});
