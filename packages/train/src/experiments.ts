import type { TrainingConfigInput } from './config.ts';

/** `paper`: licensed data, a GPU, the sizes of the paper. `small`: this project's data on a CPU, 128-px input. */
export type ExperimentSize = 'paper' | 'small';

/** One run of the paper's experiments. */
export interface Experiment {
  /** Such as `table5-4-semantic`. */
  readonly name: string;
  /** Table or figure, and what the row is. */
  readonly note: string;
  readonly learning: 'baseline' | 'mix' | 'adversarial' | 'adversarial-unshared' | 'one-stage';
  /** Depths at 64 voxels; the small size divides what exceeds its 32. */
  readonly depths?: readonly number[];
  readonly volume?: { sigma?: number; colors?: 'sorted' | 'random' | 'compact' };
  readonly scheme?: 'five-points' | 'aflw-21' | 'inner-51';
  readonly weights?: { adversarial?: number; auxiliary?: number };
}

const PAPER_DEPTHS = [1, 2, 4, 64];
const DEPTH_LISTS: Readonly<Record<string, readonly number[]>> = {
  '1': [64],
  '2': [1, 64],
  '3': [1, 2, 64],
  '3b': [1, 4, 64],
  '4': PAPER_DEPTHS,
  '4b': [1, 4, 16, 64],
  '6': [1, 2, 4, 8, 16, 64],
  '8': [1, 2, 4, 8, 16, 32, 64, 64],
};
const SCHEMES = { '5': 'five-points', '21': 'aflw-21', '51': 'inner-51', '68': undefined } as const;
const LANDMARKS = { 'five-points': 5, 'aflw-21': 21, 'inner-51': 51 } as const;

/** Every run behind Tables V to IX and Figures 8, 10 and 11, once each. */
export const EXPERIMENTS: readonly Experiment[] = [
  ...Object.entries(DEPTH_LISTS).flatMap(([key, depths]) =>
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
  { name: 'table9-one-stage', note: 'Table IX: everything from scratch, end to end', learning: 'one-stage' },
  { name: 'table9-two-stage', note: 'Table IX: pre-trained, then end to end', learning: 'baseline' },
  ...(['1', '2', '3', '6', '8'] as const).flatMap((key) =>
    (['mix', 'adversarial'] as const).map(
      (learning): Experiment => ({
        name: `figure8-${key}-${learning}`,
        note: `Fig. 8: ${DEPTH_LISTS[key].length} stacks, ${learning} (its baseline is in Table V)`,
        learning,
        depths: DEPTH_LISTS[key],
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
  ...[0, 0.1, 1].map(
    (auxiliary): Experiment => ({
      name: `figure11-auxiliary${auxiliary}`,
      note: `Fig. 11: lambda_aux ${auxiliary}`,
      learning: 'adversarial',
      weights: { auxiliary },
    }),
  ),
];

/** Folders of packed sets, relative to the working directory. */
const DATA = {
  paper: { train3d: 'data/300w-lp', train2d: 'data/aflw', validation: 'data/aflw2000-3d' },
  small: { train3d: 'data/afw-helen-profiles', train2d: 'data/youtube', validation: 'data/validation' },
} as const;

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
  const source = (root: string) => [{ format: 'packed' as const, root, ...(scheme && { scheme }) }];
  return {
    name: `${name}-${size}`,
    note,
    seed,
    output: `runs/${name}-${size}-${seed}`,
    model: modelOf(experiment, size),
    discriminator: { shared: learning !== 'adversarial-unshared' },
    data: {
      train3d: source(DATA[size].train3d),
      ...(both && { train2d: source(DATA[size].train2d) }),
      validation: source(DATA[size].validation),
    },
    batchSize: size === 'paper' ? 20 : 12,
    balance: { unit: lossUnit(experiment) },
    ...(weights && { weights }),
    stages: stagesOf(learning, size),
  };
}

function modelOf({ depths = PAPER_DEPTHS, volume = {}, scheme }: Experiment, size: ExperimentSize) {
  const landmarks = scheme ? { scheme, landmarks: LANDMARKS[scheme] } : {};
  if (size === 'paper') return { preset: 'paper', depths, volume, ...landmarks };
  return { preset: 'small', depths: depths.map((depth) => Math.min(32, depth)), volume, ...landmarks };
}

/** Energy of a density volume falls with sigma^-3, and Eq. 12 counts in its unit: relative to sigma 1. */
function lossUnit({ volume }: Experiment): number {
  return (volume?.sigma ?? 1) ** -3;
}

/** Pre-training of 20 epochs, then 10 on the 3D set or 20 on the mixture; a tenth of the rate after the first stage. */
function stagesOf(learning: Experiment['learning'], size: ExperimentSize): TrainingConfigInput['stages'] {
  const amount = (epochs: number, steps: number) => (size === 'paper' ? { epochs } : { steps });
  const first = { initial: size === 'paper' ? 2.5e-4 : 1e-3 };
  const then = { initial: size === 'paper' ? 2.5e-5 : 3e-4 };
  if (learning === 'one-stage') {
    return [
      { kind: 'finetune', ...amount(20, 1600), learningRate: first },
      { kind: 'finetune', ...amount(10, 800), learningRate: then },
    ];
  }
  const pretrain = { kind: 'pretrain' as const, ...amount(20, 1600), learningRate: first };
  if (learning === 'baseline')
    return [pretrain, { kind: 'finetune', ...amount(10, 800), learningRate: then }];
  const kind = learning === 'mix' ? ('mixed' as const) : ('adversarial' as const);
  return [pretrain, { kind, ...amount(20, 1600), learningRate: then }];
}
