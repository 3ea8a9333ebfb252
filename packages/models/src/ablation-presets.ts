import type { FaceShapeModelOptions } from './options.ts';

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
