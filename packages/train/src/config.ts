import { type AugmentationOptions, DATASET_KINDS, type DatasetKind } from '@voxface/datasets';
import { SCHEMES } from '@voxface/landmarks';
import { z } from 'zod';
import { ADVERSARY_DEFAULTS, LOSS_WEIGHTS } from './losses.ts';
import { BALANCE_DEFAULTS, SCHEDULE_DEFAULTS } from './schedule.ts';

const positive = z.number().positive();
const steps = z.number().int().positive();
const fraction = z.number().min(0).max(1);

/** Where samples come from. Relative folders are resolved against the working directory of the run. */
const dataSchema = z.strictObject({
  format: z
    .enum(DATASET_KINDS)
    .describe("Format of the files; `packed` is the project's own, made by `voxface data`"),
  name: z.string().optional().describe('What the log calls the set, and what `voxface train --set` replaces'),
  root: z.string().min(1).describe('Folder or annotation file, as `voxface evaluate --root` takes it'),
  images: z.string().optional().describe('Folder of the pictures, where they are not beside the annotations'),
  split: z
    .string()
    .optional()
    .describe(
      'Only this split (keypoint-csv with a column `split`, merl-rav); aflw2000-3d: `paper`, `fitted`',
    ),
  labels: z
    .enum(['original', 'reannotated', 'visible-21'])
    .optional()
    .describe('Which labels of aflw2000-3d'),
  points: z
    .enum(Object.keys(SCHEMES))
    .optional()
    .describe(
      'Scheme of the annotated points, where the files do not say it (300w, keypoint-csv, coco, jvcr-json, webdataset)',
    ),
  basis: z
    .string()
    .optional()
    .describe('Folder of the 68 rows of the Basel face model, which gives 300w-lp its depth'),
  occluded: z
    .enum(['count', 'mask'])
    .optional()
    .describe(
      '`mask`: points that are annotated although something hides them do not count (keypoint-csv with visibility, merl-rav)',
    ),
  repeat: z
    .number()
    .positive()
    .default(1)
    .describe('How often each sample appears in an epoch; 0.5 is every second one'),
  every: z.number().int().positive().default(1).describe('Keeps every k-th sample, from `offset` on'),
  offset: z.number().int().min(0).default(0),
  limit: z.number().int().positive().optional().describe('Keeps at most this many samples'),
  fitDepth: z
    .strictObject({ faceModel: z.string(), jaw: z.enum(['model', 'photo']).default('model') })
    .optional()
    .describe('Gives 2D samples depth by fitting a 3D morphable face: its folder, and whose jaw line counts'),
  scheme: z
    .enum(['five-points', 'aflw-21', 'inner-51', '3dfaw-66'])
    .optional()
    .describe('Reduces 68 landmarks to another scheme, see `REDUCTIONS`'),
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
    kind: z
      .enum([
        'pretrain',
        'pretrain-estimator',
        'pretrain-regressor',
        'finetune',
        'mixed',
        'adversarial',
        'pretrain-discriminator',
      ])
      .describe(
        '`pretrain`: G by Eq. 5 and P on true volumes by Eq. 6. `finetune`: Eq. 9 on 3D samples (alone it is the one-stage training). `mixed`: Eq. 9 with Eq. 7 and 8 on 2D and 3D samples. `adversarial`: Eq. 11, 12 and 14. `pretrain-discriminator`: what D does not share with P by L_real of Eq. 10, everything else as it is',
      ),
    steps: steps.optional(),
    epochs: positive.optional().describe('Passes over the 3D training set, instead of `steps`'),
    learningRate: scheduleSchema.optional().describe("A schedule over this stage instead of the run's"),
    until: positive
      .optional()
      .describe(
        'Ends a `pretrain-discriminator` stage before its last step, at the first evaluation where the reconstruction error of true volumes on the first 3D validation set is under this share of their energy',
      ),
    balance: z
      .strictObject({ gamma: fraction.optional(), rate: positive.optional() })
      .optional()
      .describe("Of an `adversarial` stage, instead of the run's: mu goes on from where it is"),
  })
  .refine((stage) => stage.balance === undefined || stage.kind === 'adversarial', {
    message: 'balance is for adversarial stages',
  })
  .refine((stage) => stage.until === undefined || stage.kind === 'pretrain-discriminator', {
    message: 'until is for pretrain-discriminator stages',
  })
  .refine((stage) => (stage.steps === undefined) !== (stage.epochs === undefined), {
    message: 'give either steps or epochs',
  });

/** Schema of a training configuration. */
export const trainingConfigSchema: z.ZodType<TrainingConfig, TrainingConfigInput> = z.strictObject({
  $schema: z.string().optional().describe('Address of this schema, for editors'),
  name: z.string().min(1),
  note: z.string().optional().describe('What the run is for; copied into its log'),
  seed: z.number().int().min(0).default(0),
  output: z.string().min(1).describe('Folder of the run: log, checkpoints, models'),
  backend: z
    .enum(['auto', 'cpu', 'wasm', 'webgl', 'webgpu', 'node', 'node-gpu', 'current'])
    .default('auto')
    .describe('`current` takes the backend that the program has set already'),
  execution: z
    .enum(['auto', 'graph', 'kernels', 'tape'])
    .default('auto')
    .describe('How phases run, see `Execution`; `auto` is the fastest on the backend'),
  model: z
    .union([z.string(), z.looseObject({ preset: z.string().optional() })])
    .default('paper')
    .describe("A preset's name, or options with an optional `preset` to start from"),
  startFrom: z.string().optional().describe('Folder of a saved model whose weights the run starts from'),
  discriminator: z
    .strictObject({
      shared: z
        .boolean()
        .default(true)
        .describe("Encode with P's own layers, or with others (Fig. 10, and lambda_aux = 0 in Fig. 11)"),
      stages: z
        .enum(['all', 'regressor'])
        .default('all')
        .describe('Volumes that D reconstructs: all, or those that P sees; see `VolumeDiscriminatorOptions`'),
      decoderChannels: z.array(steps).optional(),
      bottleneck: z
        .number()
        .int()
        .min(0)
        .default(0)
        .describe('Units between encoder and decoder; 0 for no such layer'),
      form: z
        .enum(['literal', 'relative'])
        .default(ADVERSARY_DEFAULTS.form)
        .describe(
          'Eq. 10 and 13 to the letter, or `relative`, which is not in the paper: see `AdversaryOptions`',
        ),
      share: positive.default(ADVERSARY_DEFAULTS.share).describe('Of the relative form'),
    })
    .prefault({})
    .describe('D, where a stage needs it'),
  data: z.strictObject({
    train3d: z.array(dataSchema).default([]),
    train2d: z.array(dataSchema).default([]),
    validation: z.array(dataSchema).default([]),
  }),
  augmentation: z
    .union([
      z.literal(false),
      z.strictObject({
        rotation: z.number().min(0).optional(),
        spin: fraction.optional(),
        scale: z.tuple([positive, positive]).optional(),
        gain: fraction.optional(),
        dark: fraction.optional(),
        cover: fraction.optional(),
        edge: fraction.optional(),
        noise: fraction.optional(),
        mirror: fraction.optional(),
        shift: fraction.optional(),
      }),
    ])
    .default({})
    .describe('Fields of `AUGMENTATION_DEFAULTS` to change; false trains on plain crops'),
  shuffle: z
    .union([z.literal('all'), z.strictObject({ buffer: steps })])
    .default('all')
    .describe(
      'Order of an epoch: all samples anew, or shard by shard through a buffer of so many, which reads packed sets and WebDatasets nearly from front to back',
    ),
  batchSize: steps.default(12),
  share2d: fraction
    .default(0.5)
    .describe('Share of 2D samples in the batches of `mixed` and `adversarial` stages'),
  accumulate: steps.default(1).describe('Micro-batches per step; their gradients are averaged'),
  workers: z
    .union([steps, z.literal('auto')])
    .default(1)
    .transform((workers) => (workers === 'auto' ? 1 : workers))
    .describe(
      'Data-parallel worker threads; each takes an equal part of the batch. `auto` is `autoWorkers` in `runTraining`, 1 elsewhere',
    ),
  decoders: z
    .number()
    .int()
    .min(0)
    .default(1)
    .describe('Threads that decode and crop; 0 works in the main thread'),
  pictureCache: z
    .number()
    .min(0)
    .default(1000)
    .describe('Megabytes of decoded pictures that the decoding threads keep'),
  learningRate: scheduleSchema.default({ ...SCHEDULE_DEFAULTS, drops: [] }),
  adam: z
    .strictObject({
      beta1: fraction.optional(),
      beta2: fraction.optional(),
      epsilon: positive.optional(),
      weightDecay: z.number().min(0).optional(),
    })
    .prefault({}),
  rateOf: z
    .strictObject({
      estimator: z.number().min(0).default(1),
      regressor: z.number().min(0).default(1),
      discriminator: z.number().min(0).default(1),
    })
    .prefault({})
    .describe('Factor on the learning rate per network'),
  clipNorm: positive.optional().describe("Largest Euclidean norm of one network's gradient"),
  lossScale: positive.default(1),
  weights: z
    .strictObject({
      coordinate: z.number().min(0).default(LOSS_WEIGHTS.coordinate),
      auxiliary: z.number().min(0).default(LOSS_WEIGHTS.auxiliary),
      adversarial: z.number().min(0).default(LOSS_WEIGHTS.adversarial),
    })
    .prefault({}),
  coordinateLoss: z
    .enum(['squared', 'distance'])
    .default('squared')
    .describe(
      "Eq. 6 and 8 (`squared`), or the sum of the landmarks' distances in crop units, which is not in the paper",
    ),
  balance: z
    .strictObject({
      gamma: fraction.default(BALANCE_DEFAULTS.gamma),
      rate: positive.default(BALANCE_DEFAULTS.rate),
      unit: positive.default(BALANCE_DEFAULTS.unit),
    })
    .prefault({}),
  average: z
    .strictObject({ decay: fraction.default(0.999), every: steps.default(10) })
    .optional()
    .describe('Exponential moving average of the weights: evaluated and exported in place of the raw ones'),
  stages: z.array(stageSchema).min(1),
  logEvery: steps.default(20),
  evaluateEvery: steps.default(1000),
  checkpointEvery: steps.default(1000),
  keepCheckpoints: steps.default(3),
  tensorboard: z.boolean().default(false),
  collapseAfter: z
    .number()
    .int()
    .min(0)
    .default(2000)
    .describe(
      'Steps into a stage after which a volume that explains almost nothing stops the run; 0 never stops it',
    ),
});

/** Where samples come from; relative folders are resolved against the working directory of the run. */
export interface DataSpecInput {
  format: DatasetKind;
  name?: string;
  root: string;
  images?: string;
  split?: string;
  labels?: 'original' | 'reannotated' | 'visible-21';
  points?: string;
  basis?: string;
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
  balance?: { gamma?: number; rate?: number };
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
  $schema?: string;
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
  augmentation?: false | AugmentationOptions;
  shuffle?: 'all' | { buffer: number };
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

type Optional = '$schema' | 'note' | 'startFrom' | 'clipNorm' | 'average' | 'adam';
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
