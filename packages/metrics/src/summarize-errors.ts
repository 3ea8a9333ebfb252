/** Mean, median and spread of a set of per-image errors. */
export interface ErrorSummary {
  readonly count: number;
  readonly mean: number;
  readonly median: number;
  /** Sample standard deviation (divides by count - 1); 0 for one value. */
  readonly std: number;
}

/**
 * @param errors one per image.
 * @throws RangeError for an empty set or values that are not finite.
 */
export function summarizeErrors(errors: ArrayLike<number>): ErrorSummary {
  checkErrors('summarizeErrors', errors);
  const sorted = Float64Array.from(errors).sort();
  const middle = sorted.length >> 1;
  const mean = meanOf(sorted);
  return {
    count: sorted.length,
    mean,
    median: sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2,
    std: sampleStd(sorted, mean),
  };
}

/** Arithmetic mean. */
export function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** Standard deviation that divides by count - 1; 0 for one value. */
export function sampleStd(values: ArrayLike<number>, mean: number = meanOf(values)): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] - mean) ** 2;
  return values.length > 1 ? Math.sqrt(sum / (values.length - 1)) : 0;
}

/** Throws unless there is at least one error and none is NaN or negative; Infinity (a missed face) only if allowed. */
export function checkErrors(caller: string, errors: ArrayLike<number>, missedAllowed = false): void {
  if (errors.length === 0) throw new RangeError(`${caller}: expected at least one error, got an empty set`);
  for (let i = 0; i < errors.length; i++) {
    if (!(errors[i] >= 0) || (errors[i] === Infinity && !missedAllowed)) {
      throw new RangeError(
        `${caller}: errors must be finite and not negative, got ${errors[i]} at index ${i}`,
      );
    }
  }
}
