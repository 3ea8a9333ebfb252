import {
  type Affine,
  cropPixels,
  cropTaps,
  describeValue,
  invertAffine,
  type Pixels,
} from '@voxface/landmarks';

/**
 * What `PredictorOptions.crops` changes in crop unit space, most useful first. On the validation faces of docs/training-log.md (`small`, flip): one
 * 2.33 / 2.96 / 3.30 (photos, their views, AFLW), the first three 2.31 / 2.87 / 3.21, all nine 2.28 / 2.85 / 3.19.
 */
export const CROP_VARIANTS: readonly Affine[] = [
  variant(0, 1),
  variant(12, 1),
  variant(-12, 1),
  variant(12, 1.08),
  variant(-12, 0.93),
  variant(-12, 1.08),
  variant(12, 0.93),
  variant(0, 1.08),
  variant(0, 0.93),
];

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
  for (let e = 0; e < columns.index.length; e++) columns.index[e] *= image.channels;
  const rows = axisSums([d, ty], height, taps, image.height);
  const output = new Uint8Array(width * height * 3);
  const sums = new Float64Array(width * 3);
  const kept = Array.from({ length: KEPT_ROWS }, () => ({ at: -1, values: new Float64Array(width * 3) }));
  const valuesOf = (at: number): Float64Array => {
    const slot = kept[at % KEPT_ROWS];
    if (slot.at !== at) {
      sumColumns(image, at, columns, slot.values);
      slot.at = at;
    }
    return slot.values;
  };
  for (let row = 0; row < height; row++) {
    sums.fill(0.5);
    const end = rows.ends[row + 1];
    // Two rows at a time: half of the work is reading and writing the sums.
    for (let e = rows.ends[row]; e < end; e += 2) {
      const next = Math.min(e + 1, end - 1);
      const [weight, other] = [rows.weights[e], next > e ? rows.weights[next] : 0];
      const values = valuesOf(rows.index[e]);
      const others = valuesOf(rows.index[next]);
      for (let k = 0; k < sums.length; k++) sums[k] += weight * values[k] + other * others[k];
    }
    output.set(sums, row * width * 3);
  }
  return output;
}

/** One image row resampled to [size, 3]. @param columns with indices of bytes. */
function sumColumns(image: Pixels, row: number, columns: AxisSums, values: Float64Array): void {
  const { data, width, channels } = image;
  const { ends, index, weights } = columns;
  const start = row * width * channels;
  for (let column = 0, k = 0; k < values.length; column++, k += 3) {
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let e = ends[column]; e < ends[column + 1]; e++) {
      const at = start + index[e];
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

/**
 * Crops as the networks take them: bytes [b][size, size, 3] to floats [b, size, size, 3] in 0..1.
 * @throws RangeError when a crop has another size.
 */
export function cropsToUnitRange(crops: readonly Uint8Array[], size: number): Float32Array {
  const length = size * size * 3;
  const values = new Float32Array(crops.length * length);
  crops.forEach((crop, i) => {
    if (!/^Uint8(Clamped)?Array$/.test(Object.prototype.toString.call(crop).slice(8, -1))) {
      throw new TypeError(
        `predictUnit: crops must be bytes in 0..255 (Uint8Array), got ${describeValue(crop)} at crop ${i}`,
      );
    }
    if (crop.length !== length) {
      throw new RangeError(
        `predictUnit: expected ${size} x ${size} x 3 bytes, got ${crop.length} at crop ${i}`,
      );
    }
    for (let k = 0; k < length; k++) values[i * length + k] = crop[k] / 255;
  });
  return values;
}

/** The crop seen in a mirror. */
export function mirrorCrop(crop: Uint8Array, size: number): Uint8Array {
  const mirrored = new Uint8Array(crop.length);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const from = 3 * (row * size + column);
      const to = 3 * (row * size + size - 1 - column);
      mirrored[to] = crop[from];
      mirrored[to + 1] = crop[from + 1];
      mirrored[to + 2] = crop[from + 2];
    }
  }
  return mirrored;
}

/** Turns and scales crop unit space about its middle, which a crop cut by it shows turned by `degrees` and `scale` times as wide. */
function variant(degrees: number, scale: number): Affine {
  const radians = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(radians) / scale, Math.sin(radians) / scale];
  return [cos, sin, -sin, cos, 0.5 - 0.5 * cos + 0.5 * sin, 0.5 - 0.5 * sin - 0.5 * cos];
}
