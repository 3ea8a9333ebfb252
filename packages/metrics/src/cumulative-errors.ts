import { checkErrors } from './summarize-errors.ts';

/**
 * Cumulative error distribution: the share of images whose error is at most each threshold.
 * @param errors one per image; Infinity stands for a missed face.
 * @param thresholds in the unit of the errors, in any order.
 * @returns one share in 0..1 per threshold.
 * @throws RangeError for an empty set, NaN or negative errors.
 */
export function cumulativeErrors(errors: ArrayLike<number>, thresholds: ArrayLike<number>): Float64Array {
  checkErrors('cumulativeErrors', errors, true);
  const sorted = Float64Array.from(errors).sort();
  return Float64Array.from(thresholds, (threshold) => countUpTo(sorted, threshold) / sorted.length);
}

/**
 * Share of images whose error is above the limit; missed faces (Infinity) are failures.
 * @throws RangeError for an empty set, NaN or negative errors.
 * @example
 * ```js
 * import { failureRate } from '@voxface/metrics';
 *
 * console.log(failureRate([0.02, 0.06, Infinity, 0.09], 0.08)); // => 0.5
 * ```
 */
export function failureRate(errors: ArrayLike<number>, limit: number): number {
  return 1 - cumulativeErrors(errors, [limit])[0];
}

/** `count` thresholds from 0 to `limit`, evenly spaced, both ends included. */
export function errorThresholds(limit: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => (limit * i) / (count - 1));
}

/** Number of values <= limit in an ascending array. */
function countUpTo(sorted: Float64Array, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * How the area is taken. `exact`: the integral of the step function. `fan`: the mean of the curve at the thresholds
 * 0, 1/999, 2/999, ... below the limit with a strict <, as FAN's evaluation does. `simpson`: Simpson's rule over the
 * curve of a histogram of 10 000 bins between the least and the largest error, as SPIGA's evaluation does.
 */
export type AreaMethod = 'exact' | 'fan' | 'simpson';

const SIMPSON_BINS = 10_000;
const FAN_STEP = 1 / 999;

/**
 * Area under the cumulative error distribution from 0 to `limit`, divided by `limit`.
 * @param errors one per image, fractions; Infinity stands for a missed face (`simpson` cannot take it).
 * @returns 0..1.
 * @throws RangeError for an empty set, NaN or negative errors, a limit of zero.
 * @example
 * ```js
 * import { areaUnderCurve } from '@voxface/metrics';
 *
 * console.log(areaUnderCurve([0.02, 0.06, Infinity], 0.08).toFixed(3)); // => 0.333
 * ```
 */
export function areaUnderCurve(
  errors: ArrayLike<number>,
  limit: number,
  method: AreaMethod = 'exact',
): number {
  checkErrors('areaUnderCurve', errors, method !== 'simpson');
  if (!(limit > 0 && Number.isFinite(limit))) {
    throw new RangeError(`areaUnderCurve: the limit must be positive and finite, got ${limit}`);
  }
  switch (method) {
    case 'exact':
      return exactArea(errors, limit);
    case 'fan':
      return fanArea(errors, limit);
    case 'simpson':
      return simpsonArea(errors, limit);
    default:
      throw new RangeError(
        `areaUnderCurve: the method must be exact, fan or simpson, got ${method satisfies never}`,
      );
  }
}

function exactArea(errors: ArrayLike<number>, limit: number): number {
  let sum = 0;
  for (let i = 0; i < errors.length; i++) sum += Math.max(0, limit - errors[i]);
  return sum / errors.length / limit;
}

function fanArea(errors: ArrayLike<number>, limit: number): number {
  const samples = Math.round(limit * 1000);
  let sum = 0;
  for (let i = 0; i < errors.length; i++) {
    // Samples k = 0..samples - 1 with error < k / 999.
    const first = Math.floor(errors[i] / FAN_STEP) + 1;
    sum += Math.max(0, samples - first);
  }
  return sum / errors.length / samples;
}

function simpsonArea(errors: ArrayLike<number>, limit: number): number {
  let least = Infinity;
  let most = 0;
  for (let i = 0; i < errors.length; i++) {
    least = Math.min(least, errors[i]);
    most = Math.max(most, errors[i]);
  }
  // NumPy's histogram widens an interval without extent by half on each side.
  if (least === most) [least, most] = [least - 0.5, most + 0.5];
  const width = (most - least) / SIMPSON_BINS;
  const counts = new Float64Array(SIMPSON_BINS);
  for (let i = 0; i < errors.length; i++) {
    counts[Math.min(SIMPSON_BINS - 1, Math.floor((errors[i] - least) / width))]++;
  }
  const curve: number[] = [];
  let total = 0;
  for (let i = 0; i < SIMPSON_BINS && least + i * width < limit; i++) {
    total += counts[i];
    curve.push(total / errors.length);
  }
  if (curve.length === 0) return 0;
  const last = least + (curve.length - 1) * width;
  const tail = curve.at(-1) === 1 ? limit - last : 0;
  return (simpson(curve, width) + tail) / limit;
}

/** Simpson's rule on evenly spaced values; the last of an odd number of intervals by the three-point correction. */
function simpson(values: readonly number[], width: number): number {
  const n = values.length;
  if (n === 1) return 0;
  if (n === 2) return (width * (values[0] + values[1])) / 2;
  const even = n % 2 === 0 ? n - 1 : n;
  let sum = 0;
  for (let i = 0; i + 2 < even; i += 2) sum += values[i] + 4 * values[i + 1] + values[i + 2];
  const area = (sum * width) / 3;
  return even === n ? area : area + (width * (5 * values[n - 1] + 8 * values[n - 2] - values[n - 3])) / 12;
}
