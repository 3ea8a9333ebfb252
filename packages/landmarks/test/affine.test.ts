import { DOUBLE_TOLERANCE, expectClose } from '@voxface/test-utils';
import { readGolden } from '@voxface/test-utils/node';
import { describe, expect, it } from 'vitest';
import {
  type Affine,
  affineScale,
  composeAffine,
  createLandmarks,
  IDENTITY_AFFINE,
  invertAffine,
  transformLandmarks,
} from '../src/index.ts';

interface AffineCase {
  first: Affine;
  second: Affine;
  composed: number[];
  inverse: number[];
  scale: number;
  points: number[];
  moved: number[];
}

const { affine: cases } = readGolden<{ affine: AffineCase[] }>(import.meta.url, 'landmarks');

describe('affine maps against NumPy', () => {
  it.each(cases)('composes, inverts, scales and applies case %#', (golden) => {
    expectClose(composeAffine(golden.second, golden.first), golden.composed, DOUBLE_TOLERANCE);
    expectClose(invertAffine(golden.first), golden.inverse, DOUBLE_TOLERANCE);
    expect(affineScale(golden.first)).toBeCloseTo(golden.scale, 12);
    const space = createLandmarks(golden.points, 3);
    expectClose(transformLandmarks(space, golden.first).points, golden.moved);
    const flat = createLandmarks(
      golden.points.filter((_, i) => i % 3 !== 2),
      2,
    );
    const movedFlat = golden.moved.filter((_, i) => i % 3 !== 2);
    expectClose(transformLandmarks(flat, golden.first).points, movedFlat);
  });

  it('leaves everything in place by the identity and by a map after its inverse', () => {
    const [{ first, points }] = cases;
    const shape = createLandmarks(points, 3);
    expect(transformLandmarks(shape, IDENTITY_AFFINE).points).toEqual(shape.points);
    expectClose(composeAffine(invertAffine(first), first), IDENTITY_AFFINE, DOUBLE_TOLERANCE);
  });

  it('refuses to invert a singular map', () => {
    expect(() => invertAffine([1, 2, 2, 4, 0, 0])).toThrow(
      'invertAffine: the map must be invertible, got determinant 0',
    );
  });
});
