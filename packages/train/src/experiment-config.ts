import { FACE_SHAPE_MODEL_DEFAULTS, presetOptions } from '@voxface/models';
import type { TrainingConfigInput } from './config.ts';
import { EXPERIMENTS, type Experiment, type ExperimentSize, PAPER_DEPTHS } from './experiments.ts';

const LANDMARKS = { 'five-points': 5, 'aflw-21': 21, 'inner-51': 51 } as const;

interface DataRoots {
  readonly train3d: readonly string[];
  readonly train2d: readonly string[];
  readonly validation: readonly string[];
}

/** Folders of packed sets, relative to the working directory; docs/training-log.md makes those of this project. */
const OWN_DATA: DataRoots = {
  train3d: ['sets/afw-helen', 'sets/profiles'],
  train2d: ['sets/youtube'],
  validation: ['sets/validation', 'sets/validation-profiles'],
};
const PAPER_DATA: DataRoots = {
  train3d: ['data/300w-lp'],
  train2d: ['data/aflw'],
  validation: ['data/aflw2000-3d'],
};

interface SizeSettings {
  readonly data: DataRoots;
  readonly model: { readonly preset: string; readonly [option: string]: unknown };
  readonly depths: readonly number[];
  readonly batchSize: number;
  /** Length of the first stage and of what follows it, in epochs of the paper's sets or in steps. */
  readonly lengths: { epochs: [number, number, number] } | { steps: [number, number, number] };
  /** Learning rates of the first stage and of what follows it. */
  readonly rates: readonly [number, number];
  /** Of the second rate: short runs learn to read predicted volumes at a high one, and settle at a low one. */
  readonly shape: 'steps' | 'cosine';
  /** Milder than the paper's where a few thousand samples must do. */
  readonly augmentation?: { rotation: number; scale: [number, number] };
}

const SMALL: SizeSettings = {
  data: OWN_DATA,
  model: { preset: 'small' },
  depths: PAPER_DEPTHS,
  batchSize: 12,
  lengths: { steps: [1600, 800, 1600] },
  rates: [1e-3, 1e-3],
  shape: 'cosine',
};

/** Lengths are those of pre-training, of the 3D baseline after it, and of what uses both sets. */
const SIZES: Readonly<Record<ExperimentSize, SizeSettings>> = {
  paper: {
    data: PAPER_DATA,
    model: { preset: 'paper' },
    depths: PAPER_DEPTHS,
    batchSize: 20,
    lengths: { epochs: [20, 10, 20] },
    rates: [2.5e-4, 2.5e-5],
    shape: 'steps',
  },
  small: SMALL,
  tiny: {
    ...SMALL,
    // Without profiles: they take more samples than this size has, and every run would stop near the mean face.
    data: { ...OWN_DATA, train3d: ['sets/afw-helen'] },
    depths: [1, 64],
    lengths: { steps: [260, 160, 160] },
    augmentation: { rotation: 30, scale: [0.8, 1.25] },
  },
};

/** All sizes. */
export const EXPERIMENT_SIZES: readonly ExperimentSize[] = Object.keys(SIZES) as ExperimentSize[];

/**
 * Configuration of an experiment.
 * @param seed of everything random in it; small effects need several.
 * @throws RangeError when there is no such experiment.
 */
export function experimentConfig(name: string, size: ExperimentSize, seed = 0): TrainingConfigInput {
  const experiment = EXPERIMENTS.find((candidate) => candidate.name === name);
  if (experiment === undefined) {
    throw new RangeError(
      `experimentConfig: no experiment '${name}' (there are ${EXPERIMENTS.map((e) => e.name).join(', ')})`,
    );
  }
  const { note, learning, scheme, weights } = experiment;
  const both = learning === 'mix' || learning.startsWith('adversarial');
  const { data, batchSize, augmentation } = SIZES[size];
  const sources = (roots: readonly string[]) =>
    roots.map((root) => ({ format: 'packed' as const, root, ...(scheme && { scheme }) }));
  return {
    name: `${name}-${size}`,
    note,
    seed,
    output: `runs/${name}-${size}-${seed}`,
    model: modelOf(experiment, size),
    discriminator: { shared: learning !== 'adversarial-unshared' },
    data: {
      train3d: sources(data.train3d),
      ...(both && { train2d: sources(data.train2d) }),
      validation: sources(data.validation),
    },
    batchSize,
    ...(augmentation && { augmentation }),
    balance: { unit: lossUnit(experiment) },
    ...(weights && { weights }),
    stages: stagesOf(learning, size),
  };
}

function modelOf({ depths, volume = {}, scheme }: Experiment, size: ExperimentSize) {
  const landmarks = scheme ? { scheme, landmarks: LANDMARKS[scheme] } : {};
  const { model, depths: usual } = SIZES[size];
  const { inputSize = FACE_SHAPE_MODEL_DEFAULTS.inputSize } = { ...presetOptions(model.preset), ...model };
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
function stagesOf(learning: Experiment['learning'], size: ExperimentSize): TrainingConfigInput['stages'] {
  const { lengths, rates, shape } = SIZES[size];
  const [first, alone, both] = 'epochs' in lengths ? lengths.epochs : lengths.steps;
  const stage = (kind: StageKind, amount: number, learningRate: object) => ({
    kind,
    ...('epochs' in lengths ? { epochs: amount } : { steps: amount }),
    learningRate: { initial: rates[0], ...learningRate },
  });
  const then = { initial: rates[1], shape };
  if (learning === 'one-stage') return [stage('finetune', first, {}), stage('finetune', alone, then)];
  const pretrain = stage('pretrain', first, {});
  if (learning === 'baseline') return [pretrain, stage('finetune', alone, then)];
  return [pretrain, stage(learning === 'mix' ? 'mixed' : 'adversarial', both, then)];
}

type StageKind = TrainingConfigInput['stages'][number]['kind'];
