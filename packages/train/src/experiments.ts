/**
 * `paper`: licensed data, a GPU, the sizes of the paper. `small`: this project's data on a CPU, 128-px input, about an
 * hour. `tiny`: the same networks with two stacks unless the experiment is about them, five thousand samples without
 * profiles, minutes.
 */
export type ExperimentSize = 'paper' | 'small' | 'tiny';

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
}

/** Depths of the paper's four stages. */
export const PAPER_DEPTHS: readonly number[] = [1, 2, 4, 64];
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
