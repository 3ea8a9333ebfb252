import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import {
  concatenate,
  convolveVolume,
  normalizeVolume,
  rescale,
  reshape,
  stretchDepth,
  upsample,
} from './blocks.ts';
import { initializeWeights } from './initialize-weights.ts';

import { type FaceShapeModelOptions, resolveOptions } from './options.ts';

/**
 * The coordinate regressor P (Sec. III-B.2, R13, R14): 3D convolutions of kernel 4 and stride 2 with batch
 * normalisation and LeakyReLU 0.2 between them, a last one that covers what is left, and one dense layer.
 * Volumes of fewer slices are stretched along depth, the image is average-pooled to the volume's resolution and
 * repeated along depth, and all are joined on the channels.
 * @returns a functional model of built-in layers: [volumes [b, h, w, d_m * c] ('all': M of them, 'last': one),
 * image [b, S, S, 3] in 0..1] -> [b, n, 3] in crop unit space.
 */
export function createCoordinateRegressor(options: Partial<FaceShapeModelOptions> = {}): LayersModel {
  const resolved = resolveOptions(options);
  const network = buildCoordinateRegressor(resolved);
  initializeWeights(network, resolved.seed);
  return network;
}

/** The same network with all kernels at zero, for weights that are about to be loaded. */
export function buildCoordinateRegressor(options: FaceShapeModelOptions): LayersModel {
  const inputs = regressorInputs(options);
  const embedding = encodeVolumes(inputs, options, 'encoder');
  const flat = layers.dense({
    name: 'coordinates',
    units: 3 * options.landmarks,
    kernelInitializer: 'zeros',
  });
  const points = flat.apply(embedding) as SymbolicTensor;
  const outputs = reshape(points, 'landmarks', [options.landmarks, 3]);
  return model({ inputs, outputs, name: 'coordinate_regressor' });
}

/** Stages that the regressor sees, as indices into `depths`. */
export function regressorStages(options: FaceShapeModelOptions): number[] {
  const { stacks, regressorInput } = options;
  return regressorInput === 'all' ? Array.from({ length: stacks }, (_, m) => m) : [stacks - 1];
}

function regressorInputs(options: FaceShapeModelOptions): SymbolicTensor[] {
  const { volumeSize, depths, channels, inputSize } = options;
  const inputs = regressorStages(options).map((m) =>
    input({ shape: [volumeSize, volumeSize, depths[m] * channels], name: `volume${m + 1}` }),
  );
  if (options.regressorImage) inputs.push(input({ shape: [inputSize, inputSize, 3], name: 'image' }));
  return inputs;
}

/** Joins volumes and image and encodes them: the trunk that P and the discriminator share. -> [b, e]. */
export function encodeVolumes(
  inputs: SymbolicTensor[],
  options: FaceShapeModelOptions,
  name: string,
): SymbolicTensor {
  const { volumeSize, depths, regressorChannels, volumeGain } = options;
  const depth = depths.at(-1)!;
  const parts = regressorStages(options).map((m, i) => {
    const scaled = rescale(inputs[i], `${name}_gain${m + 1}`, volumeGain);
    return stretchDepth(scaled, `${name}_stage${m + 1}`, depths[m], depth);
  });
  if (options.regressorImage) parts.push(tileImage(inputs.at(-1)!, `${name}_image`, volumeSize, depth));
  let x = concatenate(parts, `${name}_input`);
  regressorChannels.forEach((filters, i) => {
    if (i < regressorChannels.length - 1) {
      x = convolveVolume(x, `${name}_conv${i + 1}`, filters, 4, { strides: 2 });
      x = normalizeVolume(x, `${name}_bn${i + 1}`);
    } else {
      const left = x.shape.slice(1, 4) as [number, number, number];
      x = convolveVolume(x, `${name}_conv${i + 1}`, filters, left, { padding: 'valid' });
    }
  });
  return reshape(x, `${name}_embedding`, [regressorChannels.at(-1)!]);
}

/** Average-pools the image to `size` and repeats it along depth. [b, S, S, 3] -> [b, size, size, depth, 3]. */
function tileImage(image: SymbolicTensor, name: string, size: number, depth: number): SymbolicTensor {
  const poolSize = (image.shape[1] as number) / size;
  const small = layers.averagePooling2d({ name: `${name}_pool`, poolSize, strides: poolSize }).apply(image);
  let x = reshape(small as SymbolicTensor, `${name}_flat`, [size * size, 1, 3]);
  x = upsample(x, `${name}_tile`, [1, depth]);
  return reshape(x, `${name}_volume`, [size, size, depth, 3]);
}
