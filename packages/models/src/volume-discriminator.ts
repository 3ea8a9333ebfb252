import type { Variable } from '@tensorflow/tfjs-core';
import { model as createModel, type LayersModel, layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import {
  convolve,
  convolveVolume,
  doubleVolume,
  normalizeVolume,
  poolDepth,
  rescale,
  reshape,
} from './blocks.ts';
import { encodeVolumes, regressorStages } from './coordinate-regressor.ts';
import type { FaceShapeModel } from './face-shape-model.ts';
import { initializeWeights } from './initialize-weights.ts';

import type { FaceShapeModelOptions } from './options.ts';

/** Options of the discriminator. */
export interface VolumeDiscriminatorOptions {
  /**
   * Encode with the regressor's own layers (Sec. III-C), or with layers of its own (the w/o-sharing ablation).
   * @default true
   */
  shared?: boolean;
  /**
   * Volumes that are reconstructed: those of all M stages, as in Eq. 10 and 13, or those that the regressor sees. They differ where
   * `regressorInput` is 'last': the encoder sees the last volume alone then, the coarse ones follow from it.
   * @default 'all'
   */
  stages?: 'all' | 'regressor';
  /**
   * Channels of the decoder from its smallest volume up; the last serves the full resolution's predecessor.
   * @default see `defaultDecoderChannels`
   */
  decoderChannels?: readonly number[];
  /**
   * Units of a linear layer between encoder and decoder: what a reconstruction must pass through; 0 for no such layer.
   * @default 0
   */
  bottleneck?: number;
  /** Seed of the initial weights. @default the model's */
  seed?: number;
}

/** The discriminator D: an auto-encoder of volumes, given the image. */
export interface VolumeDiscriminator {
  readonly options: Required<VolumeDiscriminatorOptions>;
  /**
   * Inputs as the regressor's. Outputs: one reconstruction [b, h, w, d_m * c] for each of `stages`, and,
   * when the trunk is shared, the regressor's coordinates [b, n, 3] last.
   */
  readonly network: LayersModel;
  /** Trainable variables that the regressor does not have: the decoder's, and the encoder's when unshared. */
  ownWeights(): Variable[];
  /** Frees its own weights; those of the regressor stay. */
  dispose(): void;
}

/**
 * Creates D for a model (Sec. III-C, R20): the encoder of P down to the embedding, a dense layer to a small
 * volume, then nearest up-sampling and 3x3x3 convolutions back to the volumes' resolution (a transposed 3D
 * convolution has no gradient in TensorFlow.js). The last volume is a 3x3x3 head; coarser stages average the
 * features along depth and take a 3x3 head.
 */
export function createVolumeDiscriminator(
  model: FaceShapeModel,
  options: VolumeDiscriminatorOptions = {},
): VolumeDiscriminator {
  const resolved: Required<VolumeDiscriminatorOptions> = {
    shared: options.shared ?? true,
    stages: options.stages ?? 'all',
    decoderChannels: options.decoderChannels ?? defaultDecoderChannels(model.options),
    bottleneck: options.bottleneck ?? 0,
    seed: options.seed ?? model.options.seed,
  };
  checkDecoder(model.options, resolved);
  const { regressor } = model;
  const inputs = regressor.inputs as SymbolicTensor[];
  const embedding = resolved.shared
    ? (regressor.getLayer('encoder_embedding').output as SymbolicTensor)
    : encodeVolumes(inputs, model.options, 'discriminator_encoder');
  const outputs = decodeVolumes(embedding, model.options, resolved);
  if (resolved.shared) outputs.push(regressor.outputs[0] as SymbolicTensor);
  const network = createModel({ inputs, outputs, name: 'volume_discriminator' });
  const shared = new Set(regressor.layers);
  const own = network.layers.filter((layer) => !shared.has(layer));
  initializeWeights(network, resolved.seed, new Set(own.map((layer) => layer.name)));
  let alive = true;
  return {
    options: resolved,
    network,
    ownWeights: () =>
      own.flatMap((layer) => layer.trainableWeights.map((weight) => weight.read() as Variable)),
    dispose: () => {
      if (!alive) return;
      alive = false;
      for (const layer of own) layer.dispose();
    },
  };
}

/** The regressor's channels mirrored: 512, 256, 128, 64 for the paper. */
function defaultDecoderChannels(options: FaceShapeModelOptions): number[] {
  return options.regressorChannels.slice(0, -1).reverse();
}

function checkDecoder(
  options: FaceShapeModelOptions,
  { decoderChannels: channels, bottleneck }: Required<VolumeDiscriminatorOptions>,
): void {
  if (!(Number.isInteger(bottleneck) && bottleneck >= 0)) {
    throw new RangeError(
      `createVolumeDiscriminator: bottleneck must be a whole number of units, got ${bottleneck} (0 for none)`,
    );
  }
  const depth = options.depths.at(-1)!;
  const factor = 2 ** channels.length;
  if (channels.length === 0 || options.volumeSize % factor !== 0 || depth % factor !== 0) {
    throw new RangeError(
      `createVolumeDiscriminator: ${channels.length} doublings must end at ${options.volumeSize} x ${options.volumeSize} x ${depth}, got decoderChannels ${channels} (give one entry for each halving)`,
    );
  }
}

/** [b, e] -> one flat volume [b, h, w, d_m * c] for each stage that is reconstructed. */
function decodeVolumes(
  embedding: SymbolicTensor,
  options: FaceShapeModelOptions,
  { decoderChannels, stages, bottleneck }: Required<VolumeDiscriminatorOptions>,
): SymbolicTensor[] {
  const { volumeSize, depths, channels, volumeGain } = options;
  const factor = 2 ** decoderChannels.length;
  const [size, depth] = [volumeSize / factor, depths.at(-1)! / factor];
  const [first, ...rest] = decoderChannels;
  const start = layers.dense({
    name: 'decoder_dense',
    units: size * size * depth * first,
    kernelInitializer: 'zeros',
  });
  const narrow =
    bottleneck > 0
      ? (layers
          .dense({ name: 'decoder_bottleneck', units: bottleneck, kernelInitializer: 'zeros' })
          .apply(embedding) as SymbolicTensor)
      : embedding;
  let x = reshape(start.apply(narrow) as SymbolicTensor, 'decoder_start', [size, size, depth, first]);
  x = normalizeVolume(x, 'decoder_bn1');
  rest.forEach((filters, i) => {
    x = doubleVolume(x, `decoder_up${i + 1}`);
    x = normalizeVolume(convolveVolume(x, `decoder_conv${i + 2}`, filters, 3), `decoder_bn${i + 2}`);
  });
  x = doubleVolume(x, `decoder_up${decoderChannels.length}`);
  const reconstructed = stages === 'all' ? depths.map((_, m) => m) : regressorStages(options);
  return reconstructed.map((m) => {
    const name = `decoder_stage${m + 1}`;
    const isFull = depths[m] === depths.at(-1);
    const head = isFull
      ? poolDepth(convolveVolume(x, `${name}_head`, channels, 3), name, depths[m])
      : convolve(poolDepth(x, name, depths[m]), `${name}_head`, depths[m] * channels, 3);
    return rescale(head, `${name}_volume`, 1 / volumeGain);
  });
}
