import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';

/** Running statistics keep 0.9 of the past; PyTorch writes the same thing as momentum 0.1. */
const NORMALIZATION = { momentum: 0.9, epsilon: 1e-5 };

/**
 * Convolution with bias, stride 1 unless told. [b, h, w, c] -> [b, h', w', filters].
 * Kernels start at zero; `initializeWeights` draws them.
 */
export function convolve(
  x: SymbolicTensor,
  name: string,
  filters: number,
  kernelSize: number,
  options: { strides?: number; padding?: 'same' | 'valid' } = {},
): SymbolicTensor {
  const { strides = 1, padding = 'same' } = options;
  const layer = layers.conv2d({ name, filters, kernelSize, strides, padding, kernelInitializer: 'zeros' });
  return layer.apply(x) as SymbolicTensor;
}

/** Batch normalisation over the last axis of a rank-4 tensor. */
export function normalize(x: SymbolicTensor, name: string): SymbolicTensor {
  return layers.batchNormalization({ name, ...NORMALIZATION }).apply(x) as SymbolicTensor;
}

/** Batch normalisation, then ReLU. */
export function normalizeRectify(x: SymbolicTensor, name: string): SymbolicTensor {
  return layers.reLU({ name: `${name}_relu` }).apply(normalize(x, name)) as SymbolicTensor;
}

/** Sum of tensors of one shape. */
export function addAll(tensors: SymbolicTensor[], name: string): SymbolicTensor {
  return layers.add({ name }).apply(tensors) as SymbolicTensor;
}

/** Nearest-neighbour up-sampling of rows and columns by 2. */
export function doubleSize(x: SymbolicTensor, name: string): SymbolicTensor {
  return upsample(x, name, [2, 2]);
}

/** Nearest-neighbour up-sampling of rows and columns; a factor of 1 and 1 adds no layer. */
export function upsample(x: SymbolicTensor, name: string, size: [number, number]): SymbolicTensor {
  if (size[0] === 1 && size[1] === 1) return x;
  return layers.upSampling2d({ name, size }).apply(x) as SymbolicTensor;
}

/** Max pooling by 2. */
export function halveSize(x: SymbolicTensor, name: string): SymbolicTensor {
  return layers.maxPooling2d({ name, poolSize: 2, strides: 2 }).apply(x) as SymbolicTensor;
}

/** Multiplies by a constant; 1 adds no layer. */
export function rescale(x: SymbolicTensor, name: string, scale: number): SymbolicTensor {
  return scale === 1 ? x : (layers.rescaling({ name, scale }).apply(x) as SymbolicTensor);
}

/** Reshapes everything but the batch axis. */
export function reshape(x: SymbolicTensor, name: string, targetShape: number[]): SymbolicTensor {
  return layers.reshape({ name, targetShape }).apply(x) as SymbolicTensor;
}

/** Joins along the last axis; a single tensor adds no layer. */
export function concatenate(tensors: SymbolicTensor[], name: string): SymbolicTensor {
  if (tensors.length === 1) return tensors[0];
  return layers.concatenate({ name, axis: -1 }).apply(tensors) as SymbolicTensor;
}
