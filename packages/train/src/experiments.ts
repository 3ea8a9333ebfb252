import { withDefaults } from '@voxface/landmarks';
import {
  FACE_SHAPE_MODEL_DEFAULTS,
  presetOptions,
  TABLE_V_DEPTHS,
  TABLE_VI_LANDMARKS,
} from '@voxface/models';
import type { TrainingConfigInput } from './config.ts';

/**
 * `paper`: licensed data, a GPU, the sizes of the paper. `small`: this project's data on a CPU, 128-px input, about an
 * hour. `tiny`: the same networks with two stacks unless the experiment is about them, five thousand samples without
 * profiles, minutes. `micro`: 32-px input and volumes of eight voxels a side, which learn the pose and the rough shape: the
 * cheapest size that goes through everything, profiles and the adversarial stage included.
 */
export type ExperimentSize = 'paper' | 'small' | 'tiny' | 'micro';

/** One run of the paper's experiments. */
export interface Experiment {
  /** Such as `table5-4-semantic`. */
  readonly name: string;
  /** Table or figure, and what the row is. */
  readonly note: string;
  readonly learning: 'baseline' | 'mix' | 'adversarial' | 'adversarial-unshared' | 'one-stage';
  /** Depths at 64 voxels; the smaller sizes cut what exceeds their 32. */
  readonly depths?: readonly number[];
  readonly volume?: { sigma?: number; colors?: 'sorted' | 'random' | 'compact' };
  readonly scheme?: 'five-points' | 'aflw-21' | 'inner-51';
  readonly weights?: { adversarial?: number; auxiliary?: number };
  /** How D's energies count where it is not to the letter; see `AdversaryOptions`. */
  readonly form?: 'relative';
  /** Of the relative form: L_adv's share of the gradient. */
  readonly share?: number;
}

const SCHEMES = { '5': 'five-points', '21': 'aflw-21', '51': 'inner-51', '68': undefined } as const;

/** Every run behind Tables V to IX and Figures 8, 10 and 11, once each. */
export const EXPERIMENTS: readonly Experiment[] = [
  ...Object.entries(TABLE_V_DEPTHS).flatMap(([key, depths]) =>
    (['compact', 'sorted'] as const).map((colors): Experiment => {
      const kind = colors === 'compact' ? 'compact' : 'semantic';
      const note = `Table V: ${depths.length} stacks of depth ${depths.join(', ')}, ${kind} volumes`;
      return { name: `table5-${key}-${kind}`, note, learning: 'baseline', depths, volume: { colors } };
    }),
  ),
  ...(['5', '21', '51', '68'] as const).flatMap((key) =>
    (['compact', 'sorted'] as const).map((colors): Experiment => {
      const kind = colors === 'compact' ? 'compact' : 'semantic';
      const note = `Table VI: ${key} landmarks, ${kind} volumes`;
      return {
        name: `table6-${key}-${kind}`,
        note,
        learning: 'baseline',
        volume: { colors },
        scheme: SCHEMES[key],
      };
    }),
  ),
  ...[0.5, 1, 2, 5].flatMap((sigma) =>
    (['sorted', 'random'] as const).map(
      (colors): Experiment => ({
        name: `table7-sigma${sigma}-${colors}`,
        note: `Table VII: sigma ${sigma}, ${colors} colours`,
        learning: 'baseline',
        volume: { sigma, colors },
      }),
    ),
  ),
  { name: 'table8-baseline', note: 'Table VIII: 3D set only', learning: 'baseline' },
  { name: 'table8-mix', note: 'Table VIII: 2D and 3D sets, no discriminator', learning: 'mix' },
  { name: 'table8-adversarial', note: 'Table VIII: the whole method', learning: 'adversarial' },
  {
    name: 'table8-adversarial0',
    note: 'Beside Table VIII: lambda_adv 0, so what Eq. 11 does to P alone',
    learning: 'adversarial',
    weights: { adversarial: 0 },
  },
  {
    name: 'table8-adversarial-relative',
    note: 'Beside Table VIII: energies relative to the volume, L_adv by its share of the gradient (not in the paper)',
    learning: 'adversarial',
    form: 'relative',
    // docs/results.md: with 0.05 and 0.1 mu stays 0 at size micro, with 0.5 L_fake falls too far.
    share: 0.2,
  },
  { name: 'table9-one-stage', note: 'Table IX: everything from scratch, end to end', learning: 'one-stage' },
  { name: 'table9-two-stage', note: 'Table IX: pre-trained, then end to end', learning: 'baseline' },
  ...(['1', '2', '3', '6', '8'] as const).flatMap((key) =>
    (['baseline', 'mix', 'adversarial'] as const).map(
      (learning): Experiment => ({
        name: `figure8-${key}-${learning}`,
        note: `Fig. 8: ${TABLE_V_DEPTHS[key].length} stacks, ${learning}; four stacks are in Table VIII`,
        learning,
        depths: TABLE_V_DEPTHS[key],
      }),
    ),
  ),
  {
    name: 'figure10-unshared',
    note: 'Fig. 10: D with an encoder of its own',
    learning: 'adversarial-unshared',
  },
  ...[1e-4, 1e-3, 1e-2].map(
    (adversarial): Experiment => ({
      name: `figure11-adversarial${adversarial}`,
      note: `Fig. 11: lambda_adv ${adversarial}`,
      learning: 'adversarial',
      weights: { adversarial },
    }),
  ),
  {
    name: 'figure11-auxiliary0',
    note: 'Fig. 11: lambda_aux 0, which is D with an encoder of its own',
    learning: 'adversarial-unshared',
  },
  ...[0.1, 1].map(
    (auxiliary): Experiment => ({
      name: `figure11-auxiliary${auxiliary}`,
      note: `Fig. 11: lambda_aux ${auxiliary}`,
      learning: 'adversarial',
      weights: { auxiliary },
    }),
  ),
];

/** Names of packed sets. */
interface SetNames {
  readonly train3d: readonly string[];
  readonly train2d: readonly string[];
  readonly validation: readonly string[];
}

const OWN_DATA: SetNames = {
  train3d: ['afw-helen', 'profiles'],
  train2d: ['youtube'],
  validation: ['validation', 'validation-profiles'],
};
/** As in the paper: rendered faces alone have depth, the photos of the 2D set never had it. */
const OWN_MIXED_DATA: SetNames = {
  train3d: ['profiles'],
  train2d: ['aflw'],
  validation: ['validation-profiles', 'validation-aflw'],
};
const PAPER_DATA: SetNames = {
  train3d: ['300w-lp'],
  train2d: ['aflw'],
  validation: ['validation-300w-lp'],
};

interface SizeSettings {
  /** Folder of the packed sets, relative to the working directory; docs/training-log.md makes those of this project. */
  readonly folder: string;
  readonly data: SetNames;
  /** Of Table VIII and the figures on adversarial learning. */
  readonly mixedData: SetNames;
  readonly model: { readonly preset: string; readonly [option: string]: unknown };
  readonly depths: readonly number[];
  readonly batchSize: number;
  /** Length of the first stage and of what follows it, in epochs of the paper's sets or in steps. */
  readonly lengths: { epochs: [number, number, number] } | { steps: [number, number, number] };
  /** Learning rates of the first stage and of what follows it. */
  readonly rates: readonly [number, number];
  /** Pre-training of D before an adversarial stage; the paper has none. */
  readonly judge?: { readonly steps: number; readonly until: number };
  /**
   * What follows pre-training where Eq. 12 needs help to come to its balance: steps without D, steps with the paper's gamma, and
   * steps with another one, at a rate that falls over all of them. Of the experiments with D and those beside them.
   */
  readonly balanced?: {
    readonly steps: readonly [number, number, number];
    readonly gamma: number;
    readonly rates: readonly [number, number, number];
  };
  /** Of P's learning rate where it is not 1. */
  readonly regressorRate?: number;
  /** Of the second rate: short runs learn to read predicted volumes at a high one, and settle at a low one. */
  readonly shape: 'steps' | 'cosine';
  /** Milder than the paper's where a few thousand samples must do. */
  readonly augmentation?: { rotation: number; scale: [number, number] };
}

const SMALL: SizeSettings = {
  folder: 'sets',
  data: OWN_DATA,
  mixedData: OWN_MIXED_DATA,
  model: { preset: 'small' },
  depths: FACE_SHAPE_MODEL_DEFAULTS.depths,
  batchSize: 12,
  lengths: { steps: [1600, 800, 1600] },
  rates: [1e-3, 1e-3],
  // From nothing D spoils what it shares with P, and a few hundred steps do not bring mu to its balance.
  judge: { steps: 800, until: 0.3 },
  shape: 'cosine',
};

/** Lengths are those of pre-training, of the 3D baseline after it, and of what uses both sets. */
const SIZES: Readonly<Record<ExperimentSize, SizeSettings>> = {
  paper: {
    folder: 'data',
    data: PAPER_DATA,
    mixedData: PAPER_DATA,
    model: { preset: 'paper' },
    depths: FACE_SHAPE_MODEL_DEFAULTS.depths,
    batchSize: 20,
    lengths: { epochs: [20, 10, 20] },
    rates: [2.5e-4, 2.5e-5],
    shape: 'steps',
  },
  small: SMALL,
  tiny: {
    ...SMALL,
    // Without profiles: they take more samples than this size has, and every run would stop near the mean face.
    data: { ...OWN_DATA, train3d: ['afw-helen'] },
    mixedData: { ...OWN_MIXED_DATA, train3d: ['afw-helen'] },
    depths: [1, 64],
    lengths: { steps: [260, 160, 160] },
    judge: { steps: 100, until: 0.5 },
    augmentation: { rotation: 30, scale: [0.8, 1.25] },
  },
  micro: {
    ...SMALL,
    data: { ...OWN_DATA, train3d: ['photos', 'profiles'], train2d: ['aflw'] },
    model: {
      preset: 'small',
      inputSize: 32,
      features: 16,
      hourglassDepth: 2,
      regressorChannels: [8, 16, 24],
      regressorInput: 'all',
    },
    depths: [1, 64],
    lengths: { steps: [600, 600, 600] },
    rates: [3e-3, 1e-3],
    judge: { steps: 300, until: 0.2 },
    // docs/results.md: no mu in 0..1 balances gamma 0.7 at this size, and 0.9 only once D has settled.
    balanced: { steps: [500, 1000, 600], gamma: 0.9, rates: [1e-3, 5e-4, 1.7e-4] },
    regressorRate: 0.3,
    augmentation: { rotation: 30, scale: [0.8, 1.25] },
  },
};

/** All sizes. */
export const EXPERIMENT_SIZES: readonly ExperimentSize[] = Object.keys(SIZES) as ExperimentSize[];

/**
 * Configuration of an experiment.
 * @param seed of everything random in it; small effects need several.
 * @param sets folders of packed sets by name, in place of the usual ones.
 * @throws RangeError when there is no such experiment, or it has no set of a name.
 */
export function experimentConfig(
  name: string,
  size: ExperimentSize,
  seed = 0,
  sets: Readonly<Record<string, string>> = {},
): TrainingConfigInput {
  const experiment = EXPERIMENTS.find((candidate) => candidate.name === name);
  if (experiment === undefined) {
    throw new RangeError(
      `experimentConfig: no experiment '${name}' (there are ${EXPERIMENTS.map((e) => e.name).join(', ')})`,
    );
  }
  const { note, learning, scheme, weights, form, share } = experiment;
  const both = learning === 'mix' || learning.startsWith('adversarial');
  const { folder, batchSize, augmentation, regressorRate } = SIZES[size];
  const isMixed = /^(table8|figure(8|10|11))-/.test(name);
  const data = SIZES[size][isMixed ? 'mixedData' : 'data'];
  const known = [...data.train3d, ...(both ? data.train2d : []), ...data.validation];
  const stranger = Object.keys(sets).find((set) => !known.includes(set));
  if (stranger !== undefined) {
    throw new RangeError(
      `experimentConfig: ${name} of size ${size} has the sets ${known.join(', ')}, got '${stranger}'`,
    );
  }
  const sources = (names: readonly string[]) =>
    names.map((set) => ({
      format: 'packed' as const,
      root: sets[set] ?? `${folder}/${set}`,
      ...(scheme && { scheme }),
    }));
  return {
    name: `${name}-${size}`,
    note,
    seed,
    output: `runs/${name}-${size}-${seed}`,
    model: modelOf(experiment, size),
    discriminator: { shared: learning !== 'adversarial-unshared', ...(form && { form, share }) },
    data: {
      train3d: sources(data.train3d),
      ...(both && { train2d: sources(data.train2d) }),
      validation: sources(data.validation),
    },
    batchSize,
    ...(augmentation && { augmentation }),
    // Of the relative form: G answers at once, and with the paper's 0.001 mu follows over thousands of steps (docs/results.md).
    balance: { unit: lossUnit(experiment), ...(form && { rate: 0.01 }) },
    ...(isMixed && regressorRate !== undefined && { rateOf: { regressor: regressorRate } }),
    ...(weights && { weights }),
    stages: stagesOf(experiment, size, isMixed),
  };
}

function modelOf({ depths, volume = {}, scheme }: Experiment, size: ExperimentSize) {
  const landmarks = scheme ? { scheme, landmarks: TABLE_VI_LANDMARKS[scheme] } : {};
  const { model, depths: usual } = SIZES[size];
  const { inputSize = FACE_SHAPE_MODEL_DEFAULTS.inputSize } = withDefaults(
    presetOptions(model.preset),
    model,
  );
  const fullDepth = Number(inputSize) / 4;
  return {
    ...model,
    depths: (depths ?? usual).map((depth) => Math.min(fullDepth, depth)),
    volume,
    ...landmarks,
  };
}

/** Energy of a density volume falls with sigma^-3, and Eq. 12 counts in its unit: relative to sigma 1. */
function lossUnit({ volume }: Experiment): number {
  return (volume?.sigma ?? 1) ** -3;
}

/** Pre-training, then the 3D set alone or the mixture, at a lower rate in the paper. */
function stagesOf(
  { learning, form }: Experiment,
  size: ExperimentSize,
  isMixed: boolean,
): TrainingConfigInput['stages'] {
  const { lengths, rates, shape, judge, balanced } = SIZES[size];
  const [first, alone, both] = 'epochs' in lengths ? lengths.epochs : lengths.steps;
  const stage = (kind: StageKind, amount: number, learningRate: object) => ({
    kind,
    ...('epochs' in lengths ? { epochs: amount } : { steps: amount }),
    learningRate: { initial: rates[0], ...learningRate },
  });
  const then = { initial: rates[1], shape };
  if (learning === 'one-stage') return [stage('finetune', first, {}), stage('finetune', alone, then)];
  const kind = learning === 'baseline' ? 'finetune' : learning === 'mix' ? 'mixed' : 'adversarial';
  const judging =
    judge && kind === 'adversarial'
      ? [{ kind: 'pretrain-discriminator' as const, learningRate: { initial: rates[0] }, ...judge }]
      : [];
  if (isMixed && balanced) {
    const [before, settling, last] = balanced.steps;
    const [high, middle, low] = balanced.rates;
    const falling = (from: number, to: number) => ({ initial: from, shape: 'cosine', floor: to / from });
    const withoutD = kind === 'adversarial' ? 'mixed' : kind;
    // In the relative form G answers L_adv, and the paper's gamma balances.
    const gamma = kind === 'adversarial' && form === undefined && { balance: { gamma: balanced.gamma } };
    return [
      stage('pretrain', first, {}),
      stage(withoutD, before, falling(high, middle)),
      ...judging,
      stage(kind, settling, falling(middle, low)),
      { ...stage(kind, last, falling(low, 0.05 * middle)), ...gamma },
    ];
  }
  const length = kind === 'finetune' ? alone : both;
  return [stage('pretrain', first, {}), ...judging, stage(kind, length, then)];
}

type StageKind = TrainingConfigInput['stages'][number]['kind'];
