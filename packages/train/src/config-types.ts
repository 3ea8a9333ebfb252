/** Where samples come from; relative folders are resolved against the working directory of the run. */
export interface DataSpecInput {
  format: 'packed' | '300w' | 'keypoint-csv';
  name?: string;
  root: string;
  file?: string;
  repeat?: number;
  every?: number;
  offset?: number;
  limit?: number;
  fitDepth?: { faceModel: string; jaw?: 'model' | 'photo' };
  scheme?: 'five-points' | 'aflw-21' | 'inner-51' | '3dfaw-66';
}

/** One data source of a configuration. */
export interface DataSpec extends DataSpecInput {
  repeat: number;
  every: number;
  offset: number;
  fitDepth?: { faceModel: string; jaw: 'model' | 'photo' };
}

/** Learning rate over a run or a stage, as written. */
export interface ScheduleInput {
  initial: number;
  drops?: { at: number; factor: number }[];
  warmupSteps?: number;
  shape?: 'steps' | 'cosine';
  floor?: number;
}

/** One stage as written: either `steps` or `epochs`. */
export interface StageConfigInput {
  kind: 'pretrain' | 'pretrain-estimator' | 'pretrain-regressor' | 'finetune' | 'mixed' | 'adversarial';
  steps?: number;
  epochs?: number;
  learningRate?: ScheduleInput;
}

/** One stage of a configuration. */
export interface StageConfig extends StageConfigInput {
  learningRate?: Required<ScheduleInput>;
}

/** A configuration as written. The fields are explained at `trainingConfigSchema`. */
export interface TrainingConfigInput {
  name: string;
  note?: string;
  seed?: number;
  output: string;
  backend?: 'auto' | 'cpu' | 'wasm' | 'webgl' | 'webgpu' | 'node' | 'node-gpu' | 'current';
  model?: string | { [option: string]: unknown; preset?: string };
  startFrom?: string;
  discriminator?: { shared?: boolean };
  data: { train3d?: DataSpecInput[]; train2d?: DataSpecInput[]; validation?: DataSpecInput[] };
  augmentation?:
    | false
    | { rotation?: number; scale?: [number, number]; gain?: number; mirror?: number; shift?: number };
  batchSize?: number;
  share2d?: number;
  accumulate?: number;
  workers?: number;
  decoders?: number;
  pictureCache?: number;
  learningRate?: ScheduleInput;
  adam?: { beta1?: number; beta2?: number; epsilon?: number; weightDecay?: number };
  rateOf?: { estimator?: number; regressor?: number; discriminator?: number };
  clipNorm?: number;
  lossScale?: number;
  weights?: { coordinate?: number; auxiliary?: number; adversarial?: number };
  coordinateLoss?: 'squared' | 'distance';
  balance?: { gamma?: number; rate?: number; unit?: number };
  average?: { decay?: number; every?: number };
  stages: StageConfigInput[];
  logEvery?: number;
  evaluateEvery?: number;
  checkpointEvery?: number;
  keepCheckpoints?: number;
  tensorboard?: boolean;
  collapseAfter?: number;
}

type Optional = 'note' | 'startFrom' | 'clipNorm' | 'average' | 'adam';
type Rewritten =
  | 'discriminator'
  | 'data'
  | 'learningRate'
  | 'rateOf'
  | 'weights'
  | 'balance'
  | 'average'
  | 'stages';

/** A checked configuration with every default filled in. */
export interface TrainingConfig
  extends Required<Omit<TrainingConfigInput, Optional | Rewritten>>,
    Pick<TrainingConfigInput, 'note' | 'startFrom' | 'clipNorm'> {
  adam: { beta1?: number; beta2?: number; epsilon?: number; weightDecay?: number };
  discriminator: { shared: boolean };
  data: { train3d: DataSpec[]; train2d: DataSpec[]; validation: DataSpec[] };
  learningRate: Required<ScheduleInput>;
  rateOf: { estimator: number; regressor: number; discriminator: number };
  weights: { coordinate: number; auxiliary: number; adversarial: number };
  balance: { gamma: number; rate: number; unit: number };
  average?: { decay: number; every: number };
  stages: StageConfig[];
}
