import { type Affine, cropPixels, cropTaps, invertAffine, type Pixels } from '@voxface/landmarks';

/** Along one axis: output i is the sum of weights[e] times the pixels at index[e], for e from ends[i] to ends[i + 1]. */
interface AxisSums {
  readonly ends: Int32Array;
  readonly index: Int32Array;
  readonly weights: Float64Array;
}

/** Rows that are kept once resampled: neighbouring output rows share at most a few. */
const KEPT_ROWS = 4;

/**
 * `cropPixels` for prediction, whose crops are seldom turned: the bilinear samples of an upright crop are sums along x of
 * sums along y, which takes about half the work. The same bytes but for roundings of single values.
 * @param crop map from image pixels to crop unit space. @param size side of the crop in pixels.
 * @returns RGB bytes [size, size, 3].
 */
export function cropUpright(image: Pixels, crop: Affine, size: number): Uint8Array {
  return crop[1] !== 0 || crop[2] !== 0
    ? cropPixels(image, crop, size)
    : resampleUpright(image, crop, size, size);
}

/**
 * The same for crops of any sides that are not turned.
 * @param crop map from image pixels to 0..1 across each side of the crop, with one scale in pixels.
 * @returns RGB bytes [height, width, 3].
 */
export function resampleUpright(image: Pixels, crop: Affine, width: number, height: number): Uint8Array {
  const [a, , , d, tx, ty] = invertAffine(crop);
  const taps = cropTaps([crop[0], 0, 0, crop[0], 0, 0], width);
  const columns = axisSums([a, tx], width, taps, image.width);
  const rows = axisSums([d, ty], height, taps, image.height);
  const output = new Uint8Array(width * height * 3);
  const sums = new Float64Array(width * 3);
  const kept = Array.from({ length: KEPT_ROWS }, () => ({ at: -1, values: new Float64Array(width * 3) }));
  for (let row = 0; row < height; row++) {
    sums.fill(0.5);
    for (let e = rows.ends[row]; e < rows.ends[row + 1]; e++) {
      const at = rows.index[e];
      const slot = kept[at % KEPT_ROWS];
      if (slot.at !== at) {
        sumColumns(image, at, columns, slot.values);
        slot.at = at;
      }
      const weight = rows.weights[e];
      const { values } = slot;
      for (let k = 0; k < values.length; k++) sums[k] += weight * values[k];
    }
    output.set(sums, row * width * 3);
  }
  return output;
}

/** One image row resampled to [size, 3]. */
function sumColumns(image: Pixels, row: number, columns: AxisSums, values: Float64Array): void {
  const { data, width, channels } = image;
  const { ends, index, weights } = columns;
  const start = row * width * channels;
  for (let column = 0, k = 0; k < values.length; column++, k += 3) {
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let e = ends[column]; e < ends[column + 1]; e++) {
      const at = start + index[e] * channels;
      const weight = weights[e];
      red += weight * data[at];
      green += weight * data[at + 1];
      blue += weight * data[at + 2];
    }
    values[k] = red;
    values[k + 1] = green;
    values[k + 2] = blue;
  }
}

/** `taps` linear samples per output pixel, spread over its width; samples outside the picture weigh nothing. */
function axisSums(
  [scale, offset]: readonly [number, number],
  size: number,
  taps: number,
  extent: number,
): AxisSums {
  const ends = new Int32Array(size + 1);
  const index = new Int32Array(2 * taps * size);
  const weights = new Float64Array(2 * taps * size);
  let end = 0;
  const add = (at: number, weight: number): void => {
    if (at < 0 || at >= extent || weight === 0) return;
    // Samples go from left to right: a pixel that has a weight already is among the last two.
    const first = Math.max(ends[current], end - 2);
    for (let e = first; e < end; e++) {
      if (index[e] === at) {
        weights[e] += weight;
        return;
      }
    }
    index[end] = at;
    weights[end] = weight;
    end += 1;
  };
  let current = 0;
  for (; current < size; current++) {
    for (let tap = 0; tap < taps; tap++) {
      const position = (scale * (current + (tap + 0.5) / taps)) / size + offset;
      const left = Math.floor(position);
      const share = position - left;
      add(left, (1 - share) / taps);
      add(left + 1, share / taps);
    }
    ends[current + 1] = end;
  }
  return { ends, index, weights };
}
