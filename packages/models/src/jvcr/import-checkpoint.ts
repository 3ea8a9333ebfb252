import { dispose, type Tensor, tensor, transpose } from '@tensorflow/tfjs-core';
import { withDefaults } from '@voxface/landmarks';
import { buildFaceShapeModel, type FaceShapeModel } from '../face-shape-model.ts';
import { JVCR_PRESET, resolveOptions } from '../options.ts';

import { assignTensors } from '../weights/encode-network.ts';
import { type CheckpointTensor, readCheckpoint } from './read-checkpoint.ts';

/** Options of `importJvcrCheckpoint`. */
export interface JvcrImportOptions {
  /** Side of the crops in pixels that the network was trained on. @default 256 */
  inputSize?: number;
  /** Landmarks to keep; the released network also predicts eye and mouth centres after the first 68. @default 68 */
  landmarks?: number;
}

/** The released network. */
export const JVCR_IMPORT_DEFAULTS: Required<JvcrImportOptions> = { inputSize: 256, landmarks: 68 };

type StateDict = Map<string, CheckpointTensor>;

/**
 * Imports a checkpoint of the released JVCR code (`.pth.tar`: state_dict_p2v and state_dict_v2c). Sizes are read
 * from the weights. Its coordinates, crop pixels over 255, become crop unit space inside the last layer. Reading
 * executes nothing of the file, see `readCheckpoint`. The caller disposes the model.
 * @throws Error naming what is refused, missing or of another shape.
 */
export async function importJvcrCheckpoint(
  bytes: Uint8Array,
  options: JvcrImportOptions = {},
): Promise<FaceShapeModel> {
  const { inputSize, landmarks } = withDefaults(JVCR_IMPORT_DEFAULTS, options);
  const checkpoint = await readCheckpoint(bytes);
  const estimator = stateDict(checkpoint, 'state_dict_p2v');
  const regressor = stateDict(checkpoint, 'state_dict_v2c');
  const model = buildFaceShapeModel(
    resolveOptions({
      ...JVCR_PRESET,
      inputSize,
      landmarks,
      scheme: landmarks === 68 ? 'ibug-68' : `jvcr-${landmarks}`,
      ...sizesOf(estimator, regressor),
    }),
  );
  let tensors: Record<string, Tensor> = {};
  try {
    tensors = toTensors(estimator);
    assignTensors(model.estimator, tensors, 'state_dict_p2v');
    dispose(tensors);
    tensors = toTensors(cropUnits(regressor, inputSize, landmarks));
    assignTensors(model.regressor, tensors, 'state_dict_v2c');
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  } finally {
    dispose(tensors);
  }
}

function stateDict(checkpoint: unknown, name: string): StateDict {
  const found = checkpoint instanceof Map ? checkpoint.get(name) : undefined;
  if (!(found instanceof Map)) throw new Error(`importJvcrCheckpoint: the file must hold ${name}`);
  return new Map([...(found as StateDict)].map(([key, value]) => [key.replace(/^module\./, ''), value]));
}

function sizesOf(estimator: StateDict, regressor: StateDict): Partial<Parameters<typeof resolveOptions>[0]> {
  const outputs = (dict: StateDict, key: string): number => {
    const value = dict.get(key);
    if (value === undefined) throw new Error(`importJvcrCheckpoint: missing ${key}`);
    return value.shape[0];
  };
  const count = (dict: StateDict, key: (i: number) => string): number => {
    let i = 0;
    while (dict.has(key(i))) i++;
    return i;
  };
  const indices = (length: number): number[] => Array.from({ length }, (_, i) => i);
  const stacks = count(estimator, (i) => `score.${i}.bias`);
  const layers = count(regressor, (i) => `encoder.${i}.0.bias`);
  const residual = (i: number): number => outputs(estimator, `layer${i}.0.conv3.bias`);
  return {
    stem: outputs(estimator, 'conv1.bias'),
    stemResiduals: [residual(1), residual(2), residual(3)],
    features: residual(3),
    stacks,
    depths: indices(stacks).map((i) => outputs(estimator, `score.${i}.bias`)),
    hourglassDepth: count(estimator, (i) => `hg.0.hg.${i}.0.0.conv1.bias`),
    regressorChannels: indices(layers).map((i) => outputs(regressor, `encoder.${i}.0.bias`)),
  };
}

/** Keeps the first landmarks and turns crop pixels over 255 into (pixel + 0.5) / size; z about its middle. */
function cropUnits(regressor: StateDict, inputSize: number, landmarks: number): StateDict {
  const kernel = regressor.get('fc_cord.weight');
  const bias = regressor.get('fc_cord.bias');
  if (kernel === undefined || bias === undefined || bias.shape[0] < 3 * landmarks) {
    throw new Error(
      `importJvcrCheckpoint: fc_cord must predict ${landmarks} landmarks, got ${bias?.shape[0]} outputs (set landmarks)`,
    );
  }
  const scale = (inputSize - 1) / inputSize;
  const shift = [0.5 / inputSize, 0.5 / inputSize, -0.5];
  const inputs = kernel.shape[1];
  return new Map(regressor)
    .set('fc_cord.weight', {
      shape: [3 * landmarks, inputs],
      values: kernel.values.slice(0, 3 * landmarks * inputs).map((value) => value * scale),
    })
    .set('fc_cord.bias', {
      shape: [3 * landmarks],
      values: bias.values.slice(0, 3 * landmarks).map((value, i) => value * scale + shift[i % 3]),
    });
}

/** Kernels by rank: out, in (, depth), rows, columns -> rows, columns (, depth), in, out. */
const TRANSPOSES: Record<number, number[]> = { 2: [1, 0], 4: [2, 3, 1, 0], 5: [3, 4, 2, 1, 0] };

function toTensors(dict: StateDict): Record<string, Tensor> {
  const tensors: Record<string, Tensor> = {};
  for (const [key, { shape, values }] of dict) {
    if (key.endsWith('.num_batches_tracked')) continue;
    const given = tensor(values, shape as number[]);
    const order = TRANSPOSES[shape.length];
    tensors[weightNameOf(key)] = order === undefined ? given : transpose(given, order);
    if (order !== undefined) given.dispose();
  }
  return tensors;
}

/** Places of the bottlenecks in one level of an hourglass, in the released code's order. */
const PLACES = ['skip', 'down', 'up', 'bottom'];

const NORMALIZATION: Record<string, string> = {
  weight: 'gamma',
  bias: 'beta',
  running_mean: 'moving_mean',
  running_var: 'moving_variance',
};

/** Layers of the released code and their names here; `$1`.. are numbers, shifted to count from 1. */
const LAYERS: readonly (readonly [RegExp, (...numbers: number[]) => string])[] = [
  [/^conv1$/, () => 'stem_conv'],
  [/^bn1$/, () => 'stem_bn'],
  [/^layer(\d)\.0/, (i) => `stem_residual${i}`],
  [
    /^hg\.(\d+)\.hg\.(\d+)\.(\d)\.0/,
    (i, level, place) => `stack${i + 1}_hourglass_${level + 1}_${PLACES[place]}`,
  ],
  [/^res\.(\d+)\.0/, (i) => `stack${i + 1}_residual`],
  [/^fc\.(\d+)\.0$/, (i) => `stack${i + 1}_fc`],
  [/^fc\.(\d+)\.1$/, (i) => `stack${i + 1}_fc_bn`],
  [/^score\.(\d+)$/, (i) => `stack${i + 1}_head`],
  [/^fc_\.(\d+)$/, (i) => `stack${i + 1}_feedback`],
  [/^score_\.(\d+)$/, (i) => `stack${i + 1}_head_feedback`],
  [/^encoder\.(\d+)\.0$/, (i) => `encoder_conv${i + 1}`],
  [/^encoder\.(\d+)\.1$/, (i) => `encoder_bn${i + 1}`],
  [/^fc_cord$/, () => 'coordinates'],
];

/**
 * Name of a weight here for its key in the released code's state dict.
 * @throws Error for a key that the released network does not have.
 */
export function weightNameOf(key: string): string {
  const dot = key.lastIndexOf('.');
  const [path, part] = [key.slice(0, dot), key.slice(dot + 1)];
  for (const [pattern, name] of LAYERS) {
    const match = pattern.exec(path);
    if (match === null) continue;
    const rest = path.slice(match[0].length).replace('.downsample.0', '_skip').replace('.', '_');
    const layer = `${name(...match.slice(1).map(Number))}${rest}`;
    const isNormalization = /(^|_)bn\d?$/.test(layer) || /_bn\d$/.test(layer);
    const known = isNormalization ? NORMALIZATION[part] : { weight: 'kernel', bias: 'bias' }[part];
    if (known !== undefined) return `${layer}/${known}`;
  }
  throw new Error(
    `importJvcrCheckpoint: unexpected ${key} (is it a checkpoint of the released JVCR network?)`,
  );
}
