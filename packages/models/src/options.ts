import { withDefaults } from '@voxface/landmarks';
import { VOLUME_DEFAULTS, type VolumeOptions } from '@voxface/volume';

/** What the networks look like. Every field has a default; presets are partial versions of it. */
export interface FaceShapeModelOptions {
  /** Side of the input crop in pixels; a power of two times 4. @default 256 */
  inputSize: number;
  /** Width and height of the volumes in voxels. @default inputSize / 4 */
  volumeSize: number;
  /** Number of stacked hourglasses M. @default the length of `depths` */
  stacks: number;
  /** Channels of the hourglasses. @default 256 */
  features: number;
  /**
   * Depth of the volume of each stack, coarse to fine; length M, the last one is the full depth.
   * @default [1, 2, 4, 64]
   */
  depths: readonly number[];
  /**
   * Colour channels of a voxel: 3 semantic, 1 compact; follows `volume.colors`.
   * @default 3
   */
  channels: number;
  /** Number of landmarks n. @default 68 */
  landmarks: number;
  /** Name of the landmark scheme. @default 'ibug-68' */
  scheme: string;
  /** Halvings inside one hourglass. @default 4 */
  hourglassDepth: number;
  /** Channels after the first convolution. @default features / 4 */
  stem: number;
  /**
   * Output channels of the three residual blocks before the first hourglass (the last is `features`).
   * @default [2 stem, 2 stem, features]
   */
  stemResiduals: readonly number[];
  /**
   * Output channels of the regressor's 3D convolutions; the last one reaches 1 x 1 x 1.
   * @default [64, 128, 256, 512, 256]
   */
  regressorChannels: readonly number[];
  /** Volumes that the regressor sees: all M stages, depth-resized to the last, or the last alone. @default 'all' */
  regressorInput: 'all' | 'last';
  /** Whether the regressor also sees the image at volume resolution. @default true */
  regressorImage: boolean;
  /** How target volumes are drawn; kept with the weights so that training and display agree. @default {} */
  volume: Partial<VolumeOptions>;
  /**
   * Voxel values inside the networks over voxel values outside; see `resolveOptions`.
   * @default one over the peak of the drawn volumes
   */
  volumeGain: number;
  /** Seed of the initial weights. @default 0 */
  seed: number;
}

/** The paper's configuration (Sec. IV-A), widths of the authors' released code. */
export const FACE_SHAPE_MODEL_DEFAULTS: Omit<
  FaceShapeModelOptions,
  'volumeGain' | 'volumeSize' | 'stem' | 'stemResiduals' | 'stacks'
> = {
  inputSize: 256,
  features: 256,
  depths: [1, 2, 4, 64],
  channels: 3,
  landmarks: 68,
  scheme: 'ibug-68',
  hourglassDepth: 4,
  regressorChannels: [64, 128, 256, 512, 256],
  regressorInput: 'all',
  regressorImage: true,
  volume: {},
  seed: 0,
};

/**
 * Fills in what was left out and checks the result.
 *
 * `stacks` follows `depths`, `volumeSize` is inputSize / 4, `stem` is features / 4, `stemResiduals` is
 * [2 stem, 2 stem, features] (64, 128, 128, 256 at full width), `channels` is 1 for compact colours.
 * `volumeGain` is one over the peak of the drawn volumes: (2 pi)^(3/2) sigma^3 with the density amplitude
 * (15.7 at sigma 1), 1 with the peak amplitude. The networks work on voxels times this gain, so that a step of
 * Adam, its epsilon and the epsilon of batch normalisation meet numbers near 1, while the outputs keep the
 * units of Eq. 1.
 * @throws RangeError naming the rule that a value breaks.
 */
export function resolveOptions(options: Partial<FaceShapeModelOptions> = {}): FaceShapeModelOptions {
  const merged = withDefaults(FACE_SHAPE_MODEL_DEFAULTS, options);
  const stem = options.stem ?? Math.max(1, Math.round(merged.features / 4));
  const resolved: FaceShapeModelOptions = {
    ...merged,
    channels: options.channels ?? colorChannels(merged),
    stacks: options.stacks ?? merged.depths.length,
    volumeSize: options.volumeSize ?? merged.inputSize / 4,
    stem,
    stemResiduals: options.stemResiduals ?? [2 * stem, 2 * stem, merged.features],
    volumeGain: options.volumeGain ?? defaultGain(merged.volume),
  };
  checkOptions(resolved);
  return resolved;
}

function colorChannels(options: { volume: Partial<VolumeOptions>; landmarks: number }): number {
  const { colors } = options.volume;
  if (colors === 'per-landmark') return options.landmarks;
  return colors === 'compact' ? 1 : 3;
}

function defaultGain(volume: Partial<VolumeOptions>): number {
  if (volume.amplitude === 'peak') return 1;
  return (2 * Math.PI) ** 1.5 * (volume.sigma ?? 1) ** 3;
}

/** Largest side, depth, or number of channels of any network: what is beyond comes from a damaged file. */
const LARGEST = 4096;

function checkOptions(options: FaceShapeModelOptions): void {
  const isSize = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 1;
  const { depths, regressorChannels, stemResiduals } = options;
  for (const [name, list] of Object.entries({ depths, regressorChannels, stemResiduals })) {
    if (!Array.isArray(list)) {
      throw new RangeError(`createFaceShapeModel: ${name} must be a list of numbers, got ${list}`);
    }
  }
  const sizes = (['inputSize', 'volumeSize', 'features', 'stem', 'stacks', 'channels', 'landmarks'] as const)
    .map((name): [string, unknown] => [name, options[name]])
    .concat(depths.map((v): [string, unknown] => ['depths', v]))
    .concat(regressorChannels.map((v): [string, unknown] => ['regressorChannels', v]))
    .concat(stemResiduals.map((v): [string, unknown] => ['stemResiduals', v]));
  const rules: [boolean, string, unknown][] = [
    [
      options.inputSize === 4 * options.volumeSize,
      'inputSize must be 4 x volumeSize',
      `${options.inputSize} and ${options.volumeSize}`,
    ],
    [
      options.volumeSize % 2 ** options.hourglassDepth === 0,
      'volumeSize must be divisible by 2^hourglassDepth',
      `${options.volumeSize} and depth ${options.hourglassDepth}`,
    ],
    [options.depths.length === options.stacks, 'depths must have one entry per stack', options.depths],
    [
      options.depths.every((depth) => Number.isInteger(options.depths.at(-1)! / depth)),
      'every depth must divide the last one',
      options.depths,
    ],
    [options.features % 2 === 0 && options.features > 0, 'features must be even', options.features],
    [
      options.stemResiduals.length === 3 && options.stemResiduals[2] === options.features,
      'stemResiduals must be three numbers ending in features',
      options.stemResiduals,
    ],
    [options.stemResiduals.every((c) => c % 2 === 0), 'stemResiduals must be even', options.stemResiduals],
    [
      options.regressorChannels.length >= 2,
      'regressorChannels needs two entries or more',
      options.regressorChannels,
    ],
    [options.landmarks > 0, 'landmarks must be positive', options.landmarks],
    [
      options.volumeGain > 0 && options.volumeGain < Infinity,
      'volumeGain must be positive',
      options.volumeGain,
    ],
    [
      Number.isInteger(options.hourglassDepth) && options.hourglassDepth >= 0,
      'hourglassDepth must be a whole number',
      options.hourglassDepth,
    ],
    ...sizes.map(([name, value]): [boolean, string, unknown] => [
      isSize(value) && (value as number) <= LARGEST,
      `${name} must be a whole number in 1..${LARGEST}`,
      value,
    ]),
  ];
  for (const [holds, rule, got] of rules) {
    if (!holds)
      throw new RangeError(`createFaceShapeModel: ${rule}, got ${got} (change the options or the preset)`);
  }
}

/** Rows of Table V: number of stacks, `b` for the second depth list of the same length. */
export type StackRow = '1' | '2' | '3' | '3b' | '4' | '4b' | '6' | '8';
/** Columns of Tables V and VI. */
export type VolumeKind = 'semantic' | 'compact';
/** Landmark subsets of Table VI by their scheme's name; all 68 landmarks are row 4 of Table V. */
export type SubsetRow = 'five-points' | 'aflw-21' | 'inner-51';

/** Depth lists of Table V at 64 voxels. */
export const TABLE_V_DEPTHS: Readonly<Record<StackRow, readonly number[]>> = {
  '1': [64],
  '2': [1, 64],
  '3': [1, 2, 64],
  '3b': [1, 4, 64],
  '4': [1, 2, 4, 64],
  '4b': [1, 4, 16, 64],
  '6': [1, 2, 4, 8, 16, 64],
  '8': [1, 2, 4, 8, 16, 32, 64, 64],
};
/** Landmarks of the schemes of Table VI. */
export const TABLE_VI_LANDMARKS: Readonly<Record<SubsetRow, number>> = {
  'five-points': 5,
  'aflw-21': 21,
  'inner-51': 51,
};
const KINDS: Record<VolumeKind, Partial<FaceShapeModelOptions>> = {
  semantic: {},
  compact: { channels: 1, volume: { colors: 'compact' } },
};

type PresetsOf<Name extends string> = Record<Name, Partial<FaceShapeModelOptions>>;

/** Table V: stacks and depth lists, compact and semantic (`semantic-4` is the paper's model). */
export const TABLE_V_PRESETS: PresetsOf<`${VolumeKind}-${StackRow}`> = Object.fromEntries(
  Object.entries(KINDS).flatMap(([kind, options]) =>
    Object.entries(TABLE_V_DEPTHS).map(([row, depths]) => [`${kind}-${row}`, { ...options, depths }]),
  ),
) as PresetsOf<`${VolumeKind}-${StackRow}`>;

/** Table VI: landmark subsets, each with a model of its own. */
export const TABLE_VI_PRESETS: PresetsOf<`${VolumeKind}-${SubsetRow}`> = Object.fromEntries(
  Object.entries(KINDS).flatMap(([kind, options]) =>
    Object.entries(TABLE_VI_LANDMARKS).map(([scheme, landmarks]) => [
      `${kind}-${scheme}`,
      { ...options, scheme, landmarks },
    ]),
  ),
) as PresetsOf<`${VolumeKind}-${SubsetRow}`>;

/**
 * The predecessor's released network (JVCR, ICPR 2018): compact volumes of peak 1, the regressor sees the last
 * volume alone. Its second and third residual blocks before the hourglasses are 128 -> 256 and 256 -> 256.
 */
export const JVCR_PRESET: Partial<FaceShapeModelOptions> = {
  ...KINDS.compact,
  stemResiduals: [128, 256, 256],
  regressorInput: 'last',
  regressorImage: false,
  volume: { colors: 'compact', amplitude: 'peak' },
};

/** Names of the presets. */
export type PresetName =
  | 'paper'
  | 'small'
  | 'base'
  | 'phone'
  | 'tiny'
  | 'jvcr'
  | `${VolumeKind}-${StackRow}`
  | `${VolumeKind}-${SubsetRow}`;

/** Named configurations; pass a name or spread one and change it. */
export const PRESETS: Readonly<Record<PresetName, Partial<FaceShapeModelOptions>>> = {
  /** The paper: four stacks, 256 features, 256-px input, 64 x 64 x [1, 2, 4, 64]. */
  paper: {},
  /** For CPUs: 128-px input, two stacks of 64 features, volumes of 32 x 32 x [1, 32]. */
  small: {
    inputSize: 128,
    features: 64,
    depths: [1, 32],
    regressorChannels: [24, 48, 96, 160, 160],
    regressorInput: 'last',
  },
  /** The networks of `small` half as wide again: 2.2 times its arithmetic. */
  base: {
    inputSize: 128,
    features: 96,
    depths: [1, 32],
    regressorChannels: [40, 80, 160, 240, 240],
    regressorInput: 'last',
  },
  /** For phones: 128-px input, one stack of 40 features; under a third of the arithmetic of `small`. */
  phone: {
    inputSize: 128,
    features: 40,
    depths: [32],
    regressorChannels: [12, 24, 48, 96, 128],
    regressorInput: 'last',
  },
  /** For tests: 32-px input, two stacks of 8 features, volumes of 8 x 8 x [1, 8]. */
  tiny: {
    inputSize: 32,
    features: 8,
    depths: [1, 8],
    hourglassDepth: 2,
    regressorChannels: [4, 6, 8],
  },
  /** The predecessor's released network, for its checkpoints. */
  jvcr: JVCR_PRESET,
  ...TABLE_V_PRESETS,
  ...TABLE_VI_PRESETS,
};

/**
 * Options of a preset.
 * @throws RangeError when there is no such preset.
 */
export function presetOptions(name: string): Partial<FaceShapeModelOptions> {
  const presets: Record<string, Partial<FaceShapeModelOptions>> = PRESETS;
  if (!Object.hasOwn(presets, name)) {
    throw new RangeError(`presetOptions: no preset '${name}' (there are ${Object.keys(presets).join(', ')})`);
  }
  return presets[name];
}

/** The options with which `createVolumeEncoder` draws exactly the targets of a model's stages. */
export function volumeOptions(options: FaceShapeModelOptions): VolumeOptions {
  const { volumeSize, depths } = options;
  return { ...withDefaults(VOLUME_DEFAULTS, options.volume), width: volumeSize, height: volumeSize, depths };
}
