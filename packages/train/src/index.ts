export {
  type Batch2D,
  type Batch3D,
  disposeBatch,
  type TrainingBatch,
  toBatch,
} from './batch.ts';
export {
  type DataSpec,
  type StageConfig,
  type TrainingConfig,
  type TrainingConfigInput,
  trainingConfigSchema,
} from './config.ts';
export { evaluateModel, type ImageErrors, measureModel, type ValidationResult } from './evaluate.ts';
export {
  EXPERIMENT_SIZES,
  EXPERIMENTS,
  type Experiment,
  type ExperimentSize,
  experimentConfig,
} from './experiments.ts';
export {
  type CoordinateLossForm,
  coordinateLoss,
  discriminatorObjective,
  generatorObjective,
  jointObjective,
  LOSS_WEIGHTS,
  type LossWeights,
  reconstructionLoss,
  type StagedLoss,
  volumeLoss,
} from './losses.ts';
export { listNetworks, type NetworkName, type TrainedNetworks } from './networks.ts';
export { parseTrainingConfig } from './parse-config.ts';
export type { PhaseName } from './phases.ts';
export {
  createReplica,
  type PhaseResult,
  REPLICA_DEFAULTS,
  type Replica,
  type ReplicaOptions,
  type StepSamples,
} from './replica.ts';
export {
  BALANCE_DEFAULTS,
  type BalanceOptions,
  learningRateAt,
  nextBalance,
  SCHEDULE_DEFAULTS,
  type ScheduleOptions,
} from './schedule.ts';
export type { StepRecord } from './trainer.ts';
