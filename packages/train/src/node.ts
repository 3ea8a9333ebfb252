export { type CheckpointFolder, openCheckpointFolder } from './node/checkpoint-folder.ts';
export { createEventFile, type EventFile } from './node/event-file.ts';
export { openDataSpec, openTrainingData } from './node/open-data.ts';
export { createParallelEngine } from './node/parallel-engine.ts';
export type { EvaluationRecord } from './node/run-log.ts';
export type { TrainingResult } from './node/run-steps.ts';
export { type RunTrainingOptions, runTraining } from './node/run-training.ts';
