export { openDataSpec, openTrainingData } from './node/open-data.ts';
export type { EvaluationRecord } from './node/run-log.ts';
export { type RunTrainingOptions, runTraining, type TrainingResult } from './node/run-training.ts';
