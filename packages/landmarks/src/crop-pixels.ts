import { type Affine, affineScale, invertAffine } from './affine.ts';
import type { Pixels } from './pixels.ts';

/**
 * Resamples a picture into a square crop by one affine map straight from the original pixels; training and
 * prediction both call it. Bilinear; where the crop shrinks the picture, each crop pixel is the mean of
 * k x k bilinear samples spread over its own area (k = ceil of the shrink factor, at most 8).
 * Outside the picture is black.
 * @param crop map from image pixels to crop unit space, see `cropAffine`.
 * @param size side of the crop in pixels.
 * @param mirrored true mirrors the crop left to right.
 * @returns RGB bytes [size, size, 3].
 */
export function cropPixels(image: Pixels, crop: Affine, size: number, mirrored = false): Uint8Array {
  const [a, b, c, d, tx, ty] = invertAffine(crop);
  const shrink = 1 / (affineScale(crop) * size);
  const taps = Math.min(8, Math.max(1, Math.ceil(shrink - 0.25)));
  const weight = 1 / (taps * taps);
  const output = new Uint8Array(size * size * 3);
  const sum = new Float64Array(3);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      sum.fill(0);
      for (let i = 0; i < taps; i++) {
        const v = (row + (i + 0.5) / taps) / size;
        for (let j = 0; j < taps; j++) {
          const u = (column + (j + 0.5) / taps) / size;
          addBilinear(image, a * u + c * v + tx, b * u + d * v + ty, sum);
        }
      }
      const target = (row * size + (mirrored ? size - 1 - column : column)) * 3;
      output[target] = sum[0] * weight + 0.5;
      output[target + 1] = sum[1] * weight + 0.5;
      output[target + 2] = sum[2] * weight + 0.5;
    }
  }
  return output;
}

/** Adds the bilinear sample at (x, y), pixel-centre coordinates, to `sum` [3]. */
function addBilinear(image: Pixels, x: number, y: number, sum: Float64Array): void {
  const { data, width, height, channels } = image;
  const left = Math.floor(x);
  const top = Math.floor(y);
  if (left < -1 || top < -1 || left >= width || top >= height) return;
  const fx = x - left;
  const fy = y - top;
  for (let corner = 0; corner < 4; corner++) {
    const px = left + (corner & 1);
    const py = top + (corner >> 1);
    if (px < 0 || py < 0 || px >= width || py >= height) continue;
    const w = (corner & 1 ? fx : 1 - fx) * (corner >> 1 ? fy : 1 - fy);
    const at = (py * width + px) * channels;
    sum[0] += w * data[at];
    sum[1] += w * data[at + 1];
    sum[2] += w * data[at + 2];
  }
}
