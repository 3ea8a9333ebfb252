/** Tolerances by where a number was computed; `absolute + relative * |expected|` bounds the difference. */
export interface Tolerance {
  absolute?: number;
  relative?: number;
}

/** Double precision arithmetic in another order. */
export const DOUBLE_TOLERANCE: Tolerance = { absolute: 1e-12, relative: 1e-9 };
/** Single precision: one operation chain on any backend. */
export const SINGLE_TOLERANCE: Tolerance = { absolute: 1e-6, relative: 1e-5 };

/**
 * Compares two arrays of numbers; the error names the first and the worst failing index with both values.
 * @throws Error when lengths differ, a value is NaN on one side only, or a difference exceeds the tolerance.
 */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { absolute = 1e-6, relative = 1e-5 }: Tolerance = SINGLE_TOLERANCE,
): void {
  if (actual.length !== expected.length) {
    throw new Error(`expectClose: expected ${expected.length} values, got ${actual.length}`);
  }
  let failures = 0;
  let first = -1;
  let worst = -1;
  let worstExcess = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    const excess = difference / (absolute + relative * Math.abs(expected[i]));
    if (excess <= 1 || Object.is(actual[i], expected[i])) continue;
    failures++;
    if (first < 0) first = i;
    if (worst < 0 || !(excess <= worstExcess)) {
      worst = i;
      worstExcess = excess;
    }
  }
  if (failures === 0) return;
  const show = (i: number): string => `[${i}] got ${actual[i]}, expected ${expected[i]}`;
  throw new Error(
    `expectClose: ${failures} of ${expected.length} values differ by more than ${absolute} + ${relative} |expected|; ` +
      `first ${show(first)}; worst ${show(worst)}`,
  );
}

/** Largest absolute difference of two arrays. */
export function maxDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let most = Math.abs(actual.length - expected.length) > 0 ? Infinity : 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (!(difference <= most)) most = difference;
  }
  return most;
}
