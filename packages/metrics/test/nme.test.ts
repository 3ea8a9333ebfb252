import { createLandmarks } from '@voxface/landmarks';
import { expect, it } from 'vitest';
import { boxSize, nme } from '../src/index.ts';

it('is the mean distance over the size of the box', () => {
  const target = createLandmarks([0, 0, 8, 0, 8, 2], 2);
  const preds = createLandmarks([3, 4, 8, 1, 8, 2], 2);
  expect(nme(preds, target, { normalizer: boxSize })).toBeCloseTo((5 + 1 + 0) / 3 / 4, 12);
});
