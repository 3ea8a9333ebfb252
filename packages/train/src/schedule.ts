import { withDefaults } from '@voxface/landmarks';
/** Learning rate over a run. */
export interface ScheduleOptions {
  /** Learning rate after warm-up and before the first drop. @default 2.5e-4 */
  initial: number;
  /** From `at` (fraction of the steps, 0..1) on, the rate is `initial * factor`. @default [] */
  drops: readonly { readonly at: number; readonly factor: number }[];
  /** Steps over which the rate rises linearly from zero. @default 0 */
  warmupSteps: number;
  /** `steps` uses `drops`; `cosine` falls from `initial` to `initial * floor`. @default 'steps' */
  shape: 'steps' | 'cosine';
  /** Final factor of the cosine. @default 0.01 */
  floor: number;
}

/** Adam's learning rate of the paper, Sec. IV-A; its single drop to 2.5e-5 sits between the stages. */
export const SCHEDULE_DEFAULTS: ScheduleOptions = {
  initial: 2.5e-4,
  drops: [],
  warmupSteps: 0,
  shape: 'steps',
  floor: 0.01,
};

/**
 * Learning rate of step `step` of `total`.
 * @param step 0-based.
 * @throws RangeError when `step` is outside 0..total.
 * @example
 * ```js
 * import { learningRateAt } from '@voxface/train';
 *
 * const drops = [{ at: 0.5, factor: 0.1 }];
 * console.log(learningRateAt(0, 100, { initial: 0.001, drops })); // => 0.001
 * ```
 */
export function learningRateAt(step: number, total: number, options: Partial<ScheduleOptions> = {}): number {
  const { initial, drops, warmupSteps, shape, floor } = withDefaults(SCHEDULE_DEFAULTS, options);
  if (!(step >= 0 && step <= total)) {
    throw new RangeError(`learningRateAt: step must be in 0..${total}, got ${step}`);
  }
  const progress = total === 0 ? 0 : step / total;
  const warm = Math.min(1, (step + 1) / warmupSteps);
  if (shape === 'cosine') {
    return initial * warm * (floor + ((1 - floor) * (1 + Math.cos(Math.PI * progress))) / 2);
  }
  let factor = 1;
  let reached = -1;
  for (const drop of drops) {
    if (progress >= drop.at && drop.at > reached) {
      factor = drop.factor;
      reached = drop.at;
    }
  }
  return initial * warm * factor;
}

/** Hyper-parameters of the control variable mu, Eq. 12. */
export interface BalanceOptions {
  /** gamma: the wanted ratio L_fake / L_real. @default 0.7 */
  gamma: number;
  /**
   * lambda_mu: step of mu per unit of loss and training step; losses are sums over voxels in the volume's own unit.
   * @default 0.001
   */
  rate: number;
  /**
   * Energy of a true volume in the unit of the losses over its energy in the paper's unit; 1 for density volumes at
   * sigma 1. Losses are divided by it, so that one `rate` serves volumes of any amplitude: mean-reduced or peak-1
   * volumes move mu too slowly or saturate it in one step otherwise.
   * @default 1
   */
  unit: number;
}

/** The paper's values (Sec. IV-A). */
export const BALANCE_DEFAULTS: Required<BalanceOptions> = { gamma: 0.7, rate: 0.001, unit: 1 };

/**
 * Eq. 12: mu_(t+1) = mu_t + lambda_mu (gamma L_real - L_fake), clipped to its range [0, 1].
 * @throws RangeError when a loss is not finite.
 * @example
 * ```js
 * import { nextBalance } from '@voxface/train';
 *
 * console.log(nextBalance(0, 2, 1).toFixed(4)); // => 0.0004
 * ```
 */
export function nextBalance(
  mu: number,
  real: number,
  fake: number,
  options: Partial<BalanceOptions> = {},
): number {
  const { gamma, rate, unit } = withDefaults(BALANCE_DEFAULTS, options);
  if (!Number.isFinite(real + fake)) {
    throw new RangeError(
      `nextBalance: losses must be finite, got real ${real}, fake ${fake} (lower the learning rate or clip gradients)`,
    );
  }
  return Math.min(1, Math.max(0, mu + (rate * (gamma * real - fake)) / unit));
}
