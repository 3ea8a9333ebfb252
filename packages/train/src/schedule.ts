/** Learning rate over a run. */
export interface ScheduleOptions {
  /** Learning rate after warm-up and before the first drop. */
  initial: number;
  /** From `at` (fraction of the steps, 0..1) on, the rate is `initial * factor`. */
  drops: readonly { readonly at: number; readonly factor: number }[];
  /** Steps over which the rate rises linearly from zero. */
  warmupSteps: number;
  /** `steps` uses `drops`; `cosine` falls from `initial` to `initial * floor`. */
  shape: 'steps' | 'cosine';
  /** Final factor of the cosine. */
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
 */
export function learningRateAt(step: number, total: number, options: Partial<ScheduleOptions> = {}): number {
  const { initial, drops, warmupSteps, shape, floor } = { ...SCHEDULE_DEFAULTS, ...options };
  if (!(step >= 0 && step <= total)) {
    throw new RangeError(`learningRateAt: step must be in 0..${total}, got ${step}`);
  }
  const progress = total === 0 ? 0 : step / total;
  const warm = warmupSteps > 0 ? Math.min(1, (step + 1) / warmupSteps) : 1;
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
