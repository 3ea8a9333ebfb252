import type { DetectedFace } from '@voxface/predict';
import { expect, test } from 'vitest';
import { mostOverlapping } from '../src/evaluate/prediction-source.ts';

test('the face that is scored keeps the turn that the detector found', () => {
  const truth = { x: 40, y: 30, width: 50, height: 60 };
  const faces: DetectedFace[] = [
    { box: { x: 300, y: 20, width: 50, height: 60 }, score: 0.99 },
    { box: { x: 60, y: 50, width: 50, height: 60 }, score: 0.9, turn: 90 },
    { box: { x: 42, y: 33, width: 51, height: 58 }, score: 0.8, turn: 180 },
  ];
  expect(mostOverlapping(faces, truth)).toEqual(faces[2]);
  expect(mostOverlapping(faces.slice(0, 1), truth)).toBeUndefined();
});
