import { describe, expect, it } from 'vitest';
import {
  type Affine,
  affineScale,
  createRandom,
  cropAffine,
  cropPixels,
  invertAffine,
  type Pixels,
} from '../src/index.ts';

function noise(width: number, height: number, channels: 3 | 4, seed: number): Pixels {
  const random = createRandom(seed);
  const data = Uint8Array.from({ length: width * height * channels }, () => random.integer(256));
  return { data, width, height, channels };
}

/** The rule as the documentation states it, written as plainly as possible. */
function cropPlainly(image: Pixels, crop: Affine, size: number, mirrored: boolean): Float64Array {
  const [a, b, c, d, tx, ty] = invertAffine(crop);
  const taps = Math.min(8, Math.max(1, Math.ceil(1 / (affineScale(crop) * size) - 0.25)));
  const at = (x: number, y: number, channel: number): number =>
    x < 0 || y < 0 || x >= image.width || y >= image.height
      ? 0
      : image.data[(y * image.width + x) * image.channels + channel];
  return Float64Array.from({ length: size * size * 3 }, (_, k) => {
    const channel = k % 3;
    const row = Math.floor(k / 3 / size);
    const shown = Math.floor(k / 3) % size;
    const column = mirrored ? size - 1 - shown : shown;
    let sum = 0;
    for (let tap = 0; tap < taps * taps; tap++) {
      const u = (column + ((tap % taps) + 0.5) / taps) / size;
      const v = (row + (Math.floor(tap / taps) + 0.5) / taps) / size;
      const x = a * u + c * v + tx;
      const y = b * u + d * v + ty;
      const [px, py] = [Math.floor(x), Math.floor(y)];
      const [fx, fy] = [x - px, y - py];
      sum +=
        (1 - fx) * (1 - fy) * at(px, py, channel) +
        fx * (1 - fy) * at(px + 1, py, channel) +
        (1 - fx) * fy * at(px, py + 1, channel) +
        fx * fy * at(px + 1, py + 1, channel);
    }
    return sum / (taps * taps);
  });
}

describe('cropPixels', () => {
  const cases: [string, 3 | 4, number, number, boolean][] = [
    ['enlarging', 3, 12, 0, false],
    ['shrinking threefold, turned', 3, 90, 33, false],
    ['RGBA, mirrored, over the edges', 4, 200, -20, true],
    ['shrinking twice and a half, upright', 3, 62, 0, false],
    ['shrinking ninefold, upright, mirrored, over the edges', 4, 220, 0, true],
    ['a single pixel wide face', 3, 1, 5, true],
  ];
  it.each(cases)('follows its rule: %s', (_, channels, side, rotation, mirrored) => {
    const image = noise(70, 50, channels, 3);
    const crop = cropAffine({ x: 20, y: 10, width: side, height: side / 2 }, { rotation });
    const crops = cropPixels(image, crop, 31, mirrored);
    const expected = cropPlainly(image, crop, 31, mirrored);
    let worst = 0;
    for (const [i, value] of expected.entries()) worst = Math.max(worst, Math.abs(value - crops[i]));
    expect(worst).toBeLessThan(0.5 + 1e-6);
  });

  it('returns the picture itself for the identity crop', () => {
    const image = noise(16, 16, 3, 4);
    const crop: Affine = [1 / 16, 0, 0, 1 / 16, 0.5 / 16, 0.5 / 16];
    expect(cropPixels(image, crop, 16)).toEqual(image.data);
  });
});
