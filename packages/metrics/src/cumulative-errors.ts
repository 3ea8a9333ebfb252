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
 */
export function failureRate(errors: ArrayLike<number>, limit: number): number {
  return 1 - cumulativeErrors(errors, [limit])[0];
}

/** `count` thresholds from 0 to `limit`, evenly spaced, both ends included. */
export function errorThresholds(limit: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => (limit * i) / (count - 1));
}

/** Number of values <= limit in an ascending array. */
export function countUpTo(sorted: Float64Array, limit: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
