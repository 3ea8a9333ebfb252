import type { StageConfig, TrainingConfig } from './config.ts';
import type { PhaseName } from './phases.ts';
import { learningRateAt } from './schedule.ts';

/** Phases of each kind of stage, in the order of Algorithm 1: D and P before G. */
export const STAGE_PHASES: Readonly<Record<StageConfig['kind'], readonly PhaseName[]>> = {
  pretrain: ['volume', 'coordinate'],
  'pretrain-estimator': ['volume'],
  'pretrain-regressor': ['coordinate'],
  finetune: ['joint'],
  mixed: ['joint'],
  adversarial: ['discriminator', 'generator'],
  'pretrain-discriminator': ['reconstruction'],
};

/** Number of 3D and 2D samples per step of a stage. */
export interface BatchShares {
  readonly size3d: number;
  readonly size2d: number;
}

/** Where a stage lies in the run, in steps. */
export interface StagePlan {
  readonly index: number;
  readonly config: StageConfig;
  readonly phases: readonly PhaseName[];
  readonly start: number;
  readonly steps: number;
  readonly shares: BatchShares;
}

/**
 * Lays the stages of a run out in steps.
 * @param length3d samples in the 3D training set, for stages given in epochs.
 * @param ended steps that stages took which ended early, by index.
 */
export function planStages(
  config: TrainingConfig,
  length3d: number,
  ended: Readonly<Record<number, number>> = {},
): StagePlan[] {
  let start = 0;
  return config.stages.map((stage, index) => {
    const shares = sharesOf(stage.kind, config);
    const perEpoch = Math.ceil(length3d / Math.max(1, shares.size3d));
    const planned = stage.steps ?? Math.max(1, Math.round((stage.epochs ?? 1) * perEpoch));
    const steps = ended[index] ?? planned;
    const plan = { index, config: stage, phases: STAGE_PHASES[stage.kind], start, steps, shares };
    start += steps;
    return plan;
  });
}

/**
 * The stage that step `step` belongs to; the last one at the end of the run.
 * @param step 0-based.
 */
export function stageAt(plans: readonly StagePlan[], step: number): StagePlan {
  return plans.find((plan) => step < plan.start + plan.steps) ?? plans[plans.length - 1];
}

/** Learning rate of a step: the stage's own schedule over the stage, or the run's over the run. */
export function rateAt(config: TrainingConfig, plans: readonly StagePlan[], step: number): number {
  const plan = stageAt(plans, step);
  if (plan.config.learningRate !== undefined) {
    return learningRateAt(step - plan.start, plan.steps, plan.config.learningRate);
  }
  const last = plans[plans.length - 1];
  return learningRateAt(step, last.start + last.steps, config.learningRate);
}

/** Shares are whole numbers per part (worker and micro-batch), so that every part has the same mixture. */
function sharesOf(kind: StageConfig['kind'], config: TrainingConfig): BatchShares {
  const { batchSize, share2d, workers, accumulate } = config;
  if (kind !== 'mixed' && kind !== 'adversarial') return { size3d: batchSize, size2d: 0 };
  const parts = workers * accumulate;
  const perPart = batchSize / parts;
  const limit = kind === 'adversarial' ? perPart - 1 : perPart;
  const size2d = Math.min(limit, Math.round(perPart * share2d)) * parts;
  return { size3d: batchSize - size2d, size2d };
}
