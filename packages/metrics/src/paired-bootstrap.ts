import { createRandom } from '@voxface/landmarks';
import { checkErrors, meanOf } from './summarize-errors.ts';

export interface BootstrapOptions {
  /** Number of resamples. @default 10_000 */
  resamples?: number;
  /** Coverage of the interval. @default 0.95 */
  level?: number;
  /** @default 0 */
  seed?: number;
}

export const BOOTSTRAP_DEFAULTS: Required<BootstrapOptions> = { resamples: 10_000, level: 0.95, seed: 0 };

/** Difference of two systems on the same images. */
export interface BootstrapResult {
  /** mean(first) - mean(second): negative when the first system is better. */
  readonly difference: number;
  /** Percentile interval of the difference. */
  readonly low: number;
  readonly high: number;
  /** Share of resamples in which the first system is better; ties count half. */
  readonly firstBetter: number;
}

/**
 * Paired bootstrap: resamples images, keeping both systems' errors of an image together.
 * @param first errors of the first system, one per image.
 * @param second errors of the second system on the same images in the same order.
 * @throws RangeError when the counts differ, the set is empty or an error is not finite.
 * @example
 * ```js
 * import { pairedBootstrap } from '@voxface/metrics';
 *
 * const ours = [0.031, 0.042, 0.037, 0.05];
 * const theirs = [0.033, 0.045, 0.038, 0.055];
 * const { difference } = pairedBootstrap(ours, theirs);
 * console.log(difference.toFixed(5)); // => -0.00275
 * ```
 */
export function pairedBootstrap(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
  options: BootstrapOptions = {},
): BootstrapResult {
  const resamples = options.resamples ?? BOOTSTRAP_DEFAULTS.resamples;
  const level = options.level ?? BOOTSTRAP_DEFAULTS.level;
  const seed = options.seed ?? BOOTSTRAP_DEFAULTS.seed;
  checkErrors('pairedBootstrap', first);
  checkErrors('pairedBootstrap', second);
  const n = first.length;
  if (second.length !== n) {
    throw new RangeError(`pairedBootstrap: expected ${n} second errors, got ${second.length}`);
  }
  const differences = Float64Array.from({ length: n }, (_, i) => first[i] - second[i]);
  const random = createRandom(seed);
  const means = new Float64Array(resamples);
  let better = 0;
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += differences[random.integer(n)];
    means[r] = sum / n;
    better += means[r] < 0 ? 1 : means[r] === 0 ? 0.5 : 0;
  }
  means.sort();
  const at = (share: number): number => means[Math.min(resamples - 1, Math.floor(share * resamples))];
  return {
    difference: meanOf(differences),
    low: at((1 - level) / 2),
    high: at((1 + level) / 2),
    firstBetter: better / resamples,
  };
}
