import {
  JVCR_PRESET,
  type StackRow,
  type SubsetRow,
  TABLE_V_PRESETS,
  TABLE_VI_PRESETS,
  type VolumeKind,
} from './ablation-presets.ts';
import type { FaceShapeModelOptions } from './options.ts';

/** Names of the presets. */
export type PresetName =
  | 'paper'
  | 'small'
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
  /** For phones: 128-px input, one stack of 48 features. */
  phone: {
    inputSize: 128,
    features: 48,
    depths: [32],
    regressorChannels: [16, 32, 64, 128, 128],
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
