export { type RunTrainingOptions, runTraining, type TrainingResult } from './node/run-training.ts';
