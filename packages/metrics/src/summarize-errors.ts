import { describeValue } from '@voxface/landmarks';

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
function sampleStd(values: ArrayLike<number>, mean: number = meanOf(values)): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] - mean) ** 2;
  return values.length > 1 ? Math.sqrt(sum / (values.length - 1)) : 0;
}

/** Throws unless there is at least one error and none is NaN or negative; Infinity (a missed face) only if allowed. */
export function checkErrors(caller: string, errors: ArrayLike<number>, missedAllowed = false): void {
  if (typeof errors !== 'object' || typeof errors?.length !== 'number') {
    throw new TypeError(`${caller}: expected a list of errors, got ${describeValue(errors)}`);
  }
  if (errors.length === 0) throw new RangeError(`${caller}: expected at least one error, got none`);
  for (let i = 0; i < errors.length; i++) {
    if (!(errors[i] >= 0) || (errors[i] === Infinity && !missedAllowed)) {
      throw new RangeError(
        `${caller}: errors must be finite and not negative, got ${errors[i]} at index ${i}`,
      );
    }
  }
}

/** The images of one range of |yaw|. */
export interface YawBin {
  /** Degrees, exclusive except for 0. */
  readonly from: number;
  /** Degrees, inclusive; the last bin is open. */
  readonly to: number;
  readonly count: number;
  /** null for an empty bin. */
  readonly mean: number | null;
}

/** Errors by head pose, and the two numbers that Table IV calls mean and std. */
export interface YawSummary {
  readonly bins: readonly YawBin[];
  /** Unweighted mean of the bins' means; null when a bin is empty. */
  readonly binMean: number | null;
  /** Sample standard deviation of the bins' means (divides by bins - 1); null when a bin is empty. */
  readonly binStd: number | null;
}

/** |yaw| up to 30, up to 60, above. */
export const YAW_EDGES: readonly number[] = [30, 60];

/**
 * Splits per-image errors by |yaw|. The value is taken as it stands: 351 degrees fall in the last bin, as in the
 * published splits.
 * @param errors one per image.
 * @param yaws degrees, one per image, any sign.
 * @param edges inner edges of the bins, ascending, degrees; a value on an edge belongs to the lower bin.
 * @throws RangeError when the counts differ, a yaw or error is not finite, or the set is empty.
 * @example
 * ```js
 * import { summarizeByYaw } from '@voxface/metrics';
 *
 * const { bins } = summarizeByYaw([0.03, 0.04, 0.06], [5, -40, 80]);
 * console.log(...bins.map(({ count }) => count)); // => 1 1 1
 * ```
 */
export function summarizeByYaw(
  errors: ArrayLike<number>,
  yaws: ArrayLike<number>,
  edges: readonly number[] = YAW_EDGES,
): YawSummary {
  const bins = binErrors('summarizeByYaw', 'yaws', errors, yaws, edges, true);
  return { bins, ...summarizeBins(bins.map(({ mean }) => mean)) };
}

/** Bins between the edges; of absolute values from 0 on. */
function binErrors(
  caller: string,
  what: string,
  errors: ArrayLike<number>,
  angles: ArrayLike<number>,
  edges: readonly number[],
  absolute: boolean,
): AngleBin[] {
  checkErrors(caller, errors);
  if (angles?.length !== errors.length) {
    throw new RangeError(
      `${caller}: expected ${errors.length} ${what}, got ${angles?.length} (one per error)`,
    );
  }
  const members: number[][] = Array.from({ length: edges.length + 1 }, () => []);
  for (let i = 0; i < errors.length; i++) {
    if (!Number.isFinite(angles[i])) {
      throw new RangeError(`${caller}: ${what} must be finite, got ${angles[i]} at index ${i}`);
    }
    const angle = absolute ? Math.abs(angles[i]) : angles[i];
    members[edges.filter((edge) => angle > edge).length].push(errors[i]);
  }
  return members.map((values, i) => ({
    from: edges[i - 1] ?? (absolute ? 0 : -Infinity),
    to: edges[i] ?? Infinity,
    count: values.length,
    mean: values.length > 0 ? meanOf(values) : null,
  }));
}

/** The images of one range of an angle. */
export interface AngleBin {
  /** Degrees, exclusive; -Infinity for the first. */
  readonly from: number;
  /** Degrees, inclusive; Infinity for the last. */
  readonly to: number;
  readonly count: number;
  /** null for an empty bin. */
  readonly mean: number | null;
}

/** Inner edges of the bins by pitch (signed) and by how far a head is rolled (|roll|), degrees. */
export const ANGLE_EDGES: Readonly<Record<'pitch' | 'roll', readonly number[]>> = {
  pitch: [-40, -30, -15, -5, 5, 15, 30, 40],
  roll: [15, 30, 45],
};

/**
 * Splits per-image errors by pitch or by |roll|.
 * @param errors one per image.
 * @param angles degrees, one per image.
 * @throws RangeError when the counts differ or an angle is not finite.
 */
export function summarizeByAngle(
  errors: ArrayLike<number>,
  angles: ArrayLike<number>,
  kind: 'pitch' | 'roll',
): AngleBin[] {
  return binErrors('summarizeByAngle', 'angles', errors, angles, ANGLE_EDGES[kind], kind === 'roll');
}

/** Mean and sample standard deviation of bin means, as in Tables IV and VIII; null when a bin is empty. */
export function summarizeBins(means: readonly (number | null)[]): {
  binMean: number | null;
  binStd: number | null;
} {
  const values = means.filter((mean) => mean !== null);
  if (values.length < means.length) return { binMean: null, binStd: null };
  return { binMean: meanOf(values), binStd: sampleStd(values) };
}
