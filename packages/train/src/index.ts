export {
  ADAM_DEFAULTS,
  type AdamOptions,
  type AdamState,
  adamUpdate,
  createAdamState,
  gradientNorm,
} from './adam.ts';
export { BALANCE_DEFAULTS, type BalanceOptions, nextBalance } from './balance.ts';
export {
  type Batch2D,
  type Batch3D,
  disposeBatch,
  type EncodedBatch,
  encodeBatch,
  type TrainingBatch,
  toBatch,
  uploadBatch,
} from './batch.ts';
export {
  type Checkpoint,
  type CheckpointInfo,
  decodeCheckpoint,
  encodeCheckpoint,
  restoreState,
} from './checkpoint.ts';
export {
  type DataSpec,
  parseTrainingConfig,
  type StageConfig,
  type TrainingConfig,
  type TrainingConfigInput,
  trainingConfigSchema,
} from './config.ts';
export { createLocalEngine, type GradientEngine } from './engine.ts';
export { evaluateModel, type ImageErrors, measureModel, type ValidationResult } from './evaluate.ts';
export { EXPERIMENT_SIZES, experimentConfig } from './experiment-config.ts';
export { EXPERIMENTS, type Experiment, type ExperimentSize } from './experiments.ts';
export { createFittedDataset } from './fitted-dataset.ts';
export { accelerateTraining } from './kernels/accelerate-training.ts';
export {
  type CoordinateLossForm,
  coordinateLoss,
  reconstructionLoss,
  type StagedLoss,
  volumeLoss,
} from './losses.ts';
export { createMappedDataset, REDUCTIONS } from './mapped-dataset.ts';
export { listNetworks, type NetworkName, type NetworkWeights, type TrainedNetworks } from './networks.ts';
export {
  discriminatorObjective,
  generatorObjective,
  jointObjective,
  LOSS_WEIGHTS,
  type LossWeights,
} from './objectives.ts';
export { createParameterSet, type ParameterSet } from './parameters.ts';
export { PHASES, type Phase, type PhaseInput, type PhaseName, type PhaseOutput } from './phases.ts';
export { createPlaneDataset } from './plane-dataset.ts';
export {
  createReplica,
  type PhaseResult,
  REPLICA_DEFAULTS,
  type Replica,
  type ReplicaOptions,
  type StepSamples,
} from './replica.ts';
export { learningRateAt, SCHEDULE_DEFAULTS, type ScheduleOptions } from './schedule.ts';
export { planStages, STAGE_PHASES, type StagePlan } from './stages.ts';
export {
  createTrainer,
  type StageSources,
  type StepRecord,
  type Trainer,
  type TrainerParts,
} from './trainer.ts';
export { createTrainingState, type NetworkState, type TrainingState } from './training-state.ts';
