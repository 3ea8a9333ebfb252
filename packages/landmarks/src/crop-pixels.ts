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
  const taps = cropTaps(crop, size);
  const weight = 1 / (taps * taps);
  const { data, width, height, channels } = image;
  const stride = width * channels;
  const output = new Uint8Array(size * size * 3);
  const sum = new Float64Array(3);
  const tapX = a / (taps * size);
  const tapY = b / (taps * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let i = 0; i < taps; i++) {
        const v = (row + (i + 0.5) / taps) / size;
        const u = (column + 0.5 / taps) / size;
        let x = a * u + c * v + tx;
        let y = b * u + d * v + ty;
        for (let j = 0; j < taps; j++, x += tapX, y += tapY) {
          const left = Math.floor(x);
          const top = Math.floor(y);
          if (left >= 0 && top >= 0 && left < width - 1 && top < height - 1) {
            const fx = x - left;
            const fy = y - top;
            const southEast = fx * fy;
            const southWest = fy - southEast;
            const northEast = fx - southEast;
            const northWest = 1 - fx - southWest;
            const at = top * stride + left * channels;
            const east = at + channels;
            const south = at + stride;
            const last = south + channels;
            red +=
              northWest * data[at] +
              northEast * data[east] +
              southWest * data[south] +
              southEast * data[last];
            green +=
              northWest * data[at + 1] +
              northEast * data[east + 1] +
              southWest * data[south + 1] +
              southEast * data[last + 1];
            blue +=
              northWest * data[at + 2] +
              northEast * data[east + 2] +
              southWest * data[south + 2] +
              southEast * data[last + 2];
          } else {
            sum.fill(0);
            addAtEdge(image, x, y, sum);
            red += sum[0];
            green += sum[1];
            blue += sum[2];
          }
        }
      }
      const target = (row * size + (mirrored ? size - 1 - column : column)) * 3;
      output[target] = red * weight + 0.5;
      output[target + 1] = green * weight + 0.5;
      output[target + 2] = blue * weight + 0.5;
    }
  }
  return output;
}

/** Samples along each axis of a crop pixel, k above. */
export function cropTaps(crop: Affine, size: number): number {
  return Math.min(8, Math.max(1, Math.ceil(1 / (affineScale(crop) * size) - 0.25)));
}

/** Adds the bilinear sample at (x, y), pixel-centre coordinates, to `sum` [3]; pixels outside count as black. */
function addAtEdge(image: Pixels, x: number, y: number, sum: Float64Array): void {
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
