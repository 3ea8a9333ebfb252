import { z } from 'zod';
import { ADVERSARY_DEFAULTS, LOSS_WEIGHTS } from './losses.ts';
import { BALANCE_DEFAULTS, SCHEDULE_DEFAULTS } from './schedule.ts';

const positive = z.number().positive();
const steps = z.number().int().positive();
const fraction = z.number().min(0).max(1);

/** Where samples come from. Relative folders are resolved against the working directory of the run. */
const dataSchema = z.strictObject({
  /** Loader: `packed` is the project's own format, made by `voxface data`. */
  format: z.enum(['packed', '300w', 'keypoint-csv']),
  name: z.string().optional(),
  root: z.string().min(1),
  /** CSV file of `keypoint-csv`. */
  file: z.string().optional(),
  /** Only the rows of this split (keypoint-csv with a column `split`). */
  split: z.string().optional(),
  /** `mask`: points that are annotated although something hides them do not count (keypoint-csv with visibility). */
  occluded: z.enum(['count', 'mask']).optional(),
  /** How often each sample appears in an epoch; 0.5 is every second one. */
  repeat: z.number().positive().default(1),
  /** Keeps every k-th sample, from `offset` on. */
  every: z.number().int().positive().default(1),
  offset: z.number().int().min(0).default(0),
  /** Keeps at most this many samples. */
  limit: z.number().int().positive().optional(),
  /** Gives 2D samples depth by fitting a 3D morphable face: its folder, and whose jaw line counts. */
  fitDepth: z
    .strictObject({ faceModel: z.string(), jaw: z.enum(['model', 'photo']).default('model') })
    .optional(),
  /** Reduces 68 landmarks to another scheme, see `REDUCTIONS`. */
  scheme: z.enum(['five-points', 'aflw-21', 'inner-51', '3dfaw-66']).optional(),
});

const scheduleSchema = z.strictObject({
  initial: positive,
  drops: z.array(z.strictObject({ at: fraction, factor: positive })).default([]),
  warmupSteps: z.number().int().min(0).default(SCHEDULE_DEFAULTS.warmupSteps),
  shape: z.enum(['steps', 'cosine']).default(SCHEDULE_DEFAULTS.shape),
  floor: fraction.default(SCHEDULE_DEFAULTS.floor),
});

const stageSchema = z
  .strictObject({
    /**
     * `pretrain`: G by Eq. 5 and P on true volumes by Eq. 6. `finetune`: Eq. 9 on 3D samples (alone it is the
     * one-stage training). `mixed`: Eq. 9 with Eq. 7 and 8 on 2D and 3D samples. `adversarial`: Eq. 11, 12 and 14.
     * `pretrain-discriminator`: what D does not share with P by L_real of Eq. 10, everything else as it is.
     */
    kind: z.enum([
      'pretrain',
      'pretrain-estimator',
      'pretrain-regressor',
      'finetune',
      'mixed',
      'adversarial',
      'pretrain-discriminator',
    ]),
    steps: steps.optional(),
    /** Passes over the 3D training set, instead of `steps`. */
    epochs: positive.optional(),
    /** A schedule over this stage instead of the run's. */
    learningRate: scheduleSchema.optional(),
    /**
     * Ends a `pretrain-discriminator` stage before its last step, at the first evaluation where the reconstruction error
     * of true volumes on the first 3D validation set is under this share of their energy.
     */
    until: positive.optional(),
  })
  .refine((stage) => stage.until === undefined || stage.kind === 'pretrain-discriminator', {
    message: 'until is for pretrain-discriminator stages',
  })
  .refine((stage) => (stage.steps === undefined) !== (stage.epochs === undefined), {
    message: 'give either steps or epochs',
  });

/** Schema of a training configuration. */
export const trainingConfigSchema: z.ZodType<TrainingConfig, TrainingConfigInput> = z.strictObject({
  name: z.string().min(1),
  /** What the run is for; copied into its log. */
  note: z.string().optional(),
  seed: z.number().int().min(0).default(0),
  /** Folder of the run: log, checkpoints, models. */
  output: z.string().min(1),
  /** `current` takes the backend that the program has set already. */
  backend: z.enum(['auto', 'cpu', 'wasm', 'webgl', 'webgpu', 'node', 'node-gpu', 'current']).default('auto'),
  /** How phases run, see `Execution`; `auto` is the fastest on the backend. */
  execution: z.enum(['auto', 'graph', 'kernels', 'tape']).default('auto'),
  /** A preset's name, or options with an optional `preset` to start from. */
  model: z.union([z.string(), z.looseObject({ preset: z.string().optional() })]).default('paper'),
  /** Folder of a saved model whose weights the run starts from. */
  startFrom: z.string().optional(),
  /** D, where a stage needs it. */
  discriminator: z
    .strictObject({
      /** Encode with P's own layers, or with others (Fig. 10, and lambda_aux = 0 in Fig. 11). */
      shared: z.boolean().default(true),
      /** Volumes that D reconstructs: all, or those that P sees; see `VolumeDiscriminatorOptions`. */
      stages: z.enum(['all', 'regressor']).default('all'),
      decoderChannels: z.array(steps).optional(),
      /** Units between encoder and decoder; 0 for no such layer. */
      bottleneck: z.number().int().min(0).default(0),
      /** Eq. 10 and 13 to the letter, or `relative`, which is not in the paper: see `AdversaryOptions`. */
      form: z.enum(['literal', 'relative']).default(ADVERSARY_DEFAULTS.form),
      /** Of the relative form. */
      share: positive.default(ADVERSARY_DEFAULTS.share),
    })
    .prefault({}),
  data: z.strictObject({
    train3d: z.array(dataSchema).default([]),
    train2d: z.array(dataSchema).default([]),
    validation: z.array(dataSchema).default([]),
  }),
  /** Fields of `AUGMENTATION_DEFAULTS` to change; false trains on plain crops. */
  augmentation: z
    .union([
      z.literal(false),
      z.strictObject({
        rotation: z.number().min(0).optional(),
        spin: z.number().min(0).max(1).optional(),
        scale: z.tuple([positive, positive]).optional(),
        gain: fraction.optional(),
        mirror: fraction.optional(),
        shift: fraction.optional(),
      }),
    ])
    .default({}),
  batchSize: steps.default(12),
  /** Share of 2D samples in the batches of `mixed` and `adversarial` stages. */
  share2d: fraction.default(0.5),
  /** Micro-batches per step; their gradients are averaged. */
  accumulate: steps.default(1),
  /** Data-parallel worker threads; each takes an equal part of the batch. `auto` is `autoWorkers` in `runTraining`, 1 elsewhere. */
  workers: z
    .union([steps, z.literal('auto')])
    .default(1)
    .transform((workers) => (workers === 'auto' ? 1 : workers)),
  /** Threads that decode and crop; 0 works in the main thread. */
  decoders: z.number().int().min(0).default(1),
  /** Megabytes of decoded pictures that the decoding threads keep. */
  pictureCache: z.number().min(0).default(1000),
  learningRate: scheduleSchema.default({ ...SCHEDULE_DEFAULTS, drops: [] }),
  adam: z
    .strictObject({
      beta1: fraction.optional(),
      beta2: fraction.optional(),
      epsilon: positive.optional(),
      weightDecay: z.number().min(0).optional(),
    })
    .prefault({}),
  /** Factor on the learning rate per network. */
  rateOf: z
    .strictObject({
      estimator: z.number().min(0).default(1),
      regressor: z.number().min(0).default(1),
      discriminator: z.number().min(0).default(1),
    })
    .prefault({}),
  /** Largest Euclidean norm of one network's gradient. */
  clipNorm: positive.optional(),
  lossScale: positive.default(1),
  weights: z
    .strictObject({
      coordinate: z.number().min(0).default(LOSS_WEIGHTS.coordinate),
      auxiliary: z.number().min(0).default(LOSS_WEIGHTS.auxiliary),
      adversarial: z.number().min(0).default(LOSS_WEIGHTS.adversarial),
    })
    .prefault({}),
  /** Eq. 6 and 8 (`squared`), or the sum of the landmarks' distances in crop units, which is not in the paper. */
  coordinateLoss: z.enum(['squared', 'distance']).default('squared'),
  balance: z
    .strictObject({
      gamma: fraction.default(BALANCE_DEFAULTS.gamma),
      rate: positive.default(BALANCE_DEFAULTS.rate),
      unit: positive.default(BALANCE_DEFAULTS.unit),
    })
    .prefault({}),
  /** Exponential moving average of the weights: evaluated and exported in place of the raw ones. */
  average: z.strictObject({ decay: fraction.default(0.999), every: steps.default(10) }).optional(),
  stages: z.array(stageSchema).min(1),
  logEvery: steps.default(20),
  evaluateEvery: steps.default(1000),
  checkpointEvery: steps.default(1000),
  keepCheckpoints: steps.default(3),
  tensorboard: z.boolean().default(false),
  /** Steps into a stage after which a volume that explains almost nothing stops the run; 0 never stops it. */
  collapseAfter: z.number().int().min(0).default(2000),
});

/**
 * Checks a configuration and fills in the defaults.
 * @param source what the message calls it, usually the file name.
 * @throws RangeError that lists every wrong field with its rule.
 */
export function parseTrainingConfig(value: unknown, source = 'configuration'): TrainingConfig {
  const result = trainingConfigSchema.safeParse(value);
  if (!result.success) {
    const lines = result.error.issues.map((issue) => `${issue.path.join('.') || '(root)'}: ${issue.message}`);
    throw new RangeError(`parseTrainingConfig: ${source} has ${lines.length} errors: ${lines.join('; ')}`);
  }
  checkConfig(result.data, source);
  return result.data;
}

function checkConfig(config: TrainingConfig, source: string): void {
  const { data, stages, batchSize, accumulate, workers, share2d } = config;
  const parts = accumulate * workers;
  const mixed = stages.some((stage) => stage.kind === 'mixed' || stage.kind === 'adversarial');
  const only3d = stages.find((stage) => stage.kind !== 'mixed');
  const problems: [boolean, string][] = [
    [
      batchSize % parts !== 0,
      `batchSize: must be divisible by workers x accumulate (${parts}), got ${batchSize}`,
    ],
    [
      only3d !== undefined && data.train3d.length === 0,
      `data.train3d: stage '${only3d?.kind}' needs 3D samples, got none`,
    ],
    [
      stages.some(({ until }) => until !== undefined) && data.validation.length === 0,
      'data.validation: a stage with until is measured on a 3D validation set, got none',
    ],
    [
      workers > 1 && accumulate > 1,
      `accumulate: must be 1 with several workers, got ${accumulate} (each worker is a part already)`,
    ],
    [
      workers > 1 && config.backend === 'current',
      "backend: must be named with several workers, got 'current' (each worker sets its own up)",
    ],
    [
      mixed && share2d > 0 && data.train2d.length === 0,
      'data.train2d: mixed stages need 2D samples, got none (or set share2d to 0)',
    ],
  ];
  const found = problems.filter(([wrong]) => wrong).map(([, text]) => text);
  if (found.length > 0) throw new RangeError(`parseTrainingConfig: ${source}: ${found.join('; ')}`);
}

/** Where samples come from; relative folders are resolved against the working directory of the run. */
export interface DataSpecInput {
  format: 'packed' | '300w' | 'keypoint-csv';
  name?: string;
  root: string;
  file?: string;
  split?: string;
  occluded?: 'count' | 'mask';
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
  kind:
    | 'pretrain'
    | 'pretrain-estimator'
    | 'pretrain-regressor'
    | 'pretrain-discriminator'
    | 'finetune'
    | 'mixed'
    | 'adversarial';
  steps?: number;
  epochs?: number;
  learningRate?: ScheduleInput;
  until?: number;
}

/** One stage of a configuration. */
export interface StageConfig extends StageConfigInput {
  learningRate?: Required<ScheduleInput>;
}

/**
 * How phases run: by TensorFlow.js's `tape`; recorded once and run as a list of `kernels` afterwards, with the same results and
 * less overhead; recorded once and run as one `graph` by the native library, with the same results up to rounding. `auto` takes
 * the graph on the native backend, kernels on cpu and wasm, the tape on GPUs.
 */
export type Execution = 'auto' | 'graph' | 'kernels' | 'tape';

/** A configuration as written. The fields are explained at `trainingConfigSchema`. */
export interface TrainingConfigInput {
  name: string;
  note?: string;
  seed?: number;
  output: string;
  backend?: 'auto' | 'cpu' | 'wasm' | 'webgl' | 'webgpu' | 'node' | 'node-gpu' | 'current';
  execution?: Execution;
  model?: string | { [option: string]: unknown; preset?: string };
  startFrom?: string;
  discriminator?: {
    shared?: boolean;
    stages?: 'all' | 'regressor';
    decoderChannels?: number[];
    bottleneck?: number;
    form?: 'literal' | 'relative';
    share?: number;
  };
  data: { train3d?: DataSpecInput[]; train2d?: DataSpecInput[]; validation?: DataSpecInput[] };
  augmentation?:
    | false
    | { rotation?: number; scale?: [number, number]; gain?: number; mirror?: number; shift?: number };
  batchSize?: number;
  share2d?: number;
  accumulate?: number;
  workers?: number | 'auto';
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
  | 'workers'
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
  discriminator: {
    shared: boolean;
    stages: 'all' | 'regressor';
    decoderChannels?: number[];
    bottleneck: number;
    form: 'literal' | 'relative';
    share: number;
  };
  data: { train3d: DataSpec[]; train2d: DataSpec[]; validation: DataSpec[] };
  workers: number;
  learningRate: Required<ScheduleInput>;
  rateOf: { estimator: number; regressor: number; discriminator: number };
  weights: { coordinate: number; auxiliary: number; adversarial: number };
  balance: { gamma: number; rate: number; unit: number };
  average?: { decay: number; every: number };
  stages: StageConfig[];
}
