import { type Affine, createRandom, cropAffine, cropPixels } from '@voxface/landmarks';
import { describe, expect, it } from 'vitest';
import { cropUpright } from '../src/crops.ts';

const random = createRandom(5);
const image = {
  data: Uint8Array.from({ length: 61 * 47 * 4 }, () => random.integer(256)),
  width: 61,
  height: 47,
  channels: 4 as const,
};

describe('cropUpright', () => {
  it.each([
    ['enlarging', { x: 20, y: 15, width: 9, height: 11 }, 30],
    ['shrinking', { x: 5, y: 3, width: 40, height: 38 }, 21],
    ['shrinking ninefold, over the edges', { x: -60, y: -30, width: 150, height: 120 }, 17],
    ['outside of the picture', { x: 200, y: 200, width: 30, height: 30 }, 9],
  ])('gives the bytes of cropPixels, but for roundings: %s', (_, box, size) => {
    const crop = cropAffine(box);
    const expected = cropPixels(image, crop, size);
    const actual = cropUpright(image, crop, size);
    const differences = actual.map((value, i) => Math.abs(value - expected[i]));
    expect(actual).toHaveLength(3 * size * size);
    expect(Math.max(...differences)).toBeLessThanOrEqual(1);
    expect(differences.filter((difference) => difference > 0).length).toBeLessThan(0.01 * differences.length);
  });

  it('leaves turned crops to cropPixels', () => {
    const [a, b, c, d, tx, ty] = cropAffine({ x: 10, y: 8, width: 30, height: 28 });
    const turned: Affine = [a, b + 0.004, c - 0.004, d, tx, ty];
    expect(cropUpright(image, turned, 19)).toEqual(cropPixels(image, turned, 19));
  });
});
