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

/**
 * Pre-activation bottleneck (R11): BN-ReLU-1x1 (c/2), BN-ReLU-3x3 (c/2), BN-ReLU-1x1 (c), plus the input, which
 * goes through a 1x1 convolution where the number of channels changes. [b, h, w, *] -> [b, h, w, filters].
 */
export function bottleneck(x: SymbolicTensor, name: string, filters: number): SymbolicTensor {
  const inner = filters / 2;
  let y = normalizeRectify(x, `${name}_bn1`);
  y = convolve(y, `${name}_conv1`, inner, 1);
  y = normalizeRectify(y, `${name}_bn2`);
  y = convolve(y, `${name}_conv2`, inner, 3);
  y = normalizeRectify(y, `${name}_bn3`);
  y = convolve(y, `${name}_conv3`, filters, 1);
  const skip = x.shape.at(-1) === filters ? x : convolve(x, `${name}_skip`, filters, 1);
  return addAll([skip, y], `${name}_add`);
}

/**
 * One hourglass (Newell et al. 2016): `depth` halvings by max pooling, one bottleneck per position, nearest
 * up-sampling, skip connections added. Keeps the shape [b, h, w, c].
 */
export function hourglass(x: SymbolicTensor, name: string, depth: number): SymbolicTensor {
  const filters = x.shape.at(-1) as number;
  const at = `${name}_${depth}`;
  const skip = bottleneck(x, `${at}_skip`, filters);
  let low = bottleneck(halveSize(x, `${at}_pool`), `${at}_down`, filters);
  low = depth > 1 ? hourglass(low, name, depth - 1) : bottleneck(low, `${at}_bottom`, filters);
  low = bottleneck(low, `${at}_up`, filters);
  return addAll([skip, doubleSize(low, `${at}_upsample`)], `${at}_sum`);
}

/**
 * Zero border that makes a 'valid' convolution of odd kernel size and stride 2 sample the same pixels as
 * PyTorch's padding of kernelSize / 2 (TensorFlow's 'same' shifts them by one at stride 2).
 */
export function padInput(x: SymbolicTensor, name: string, kernelSize: number): SymbolicTensor {
  const before = (kernelSize - 1) / 2;
  const padding: [[number, number], [number, number]] = [
    [before, before - 1],
    [before, before - 1],
  ];
  return layers.zeroPadding2d({ name, padding }).apply(x) as SymbolicTensor;
}

/** Shape [h, w, d, c] of a rank-5 symbolic tensor without its batch axis. */
function volumeShape(x: SymbolicTensor): [number, number, number, number] {
  return x.shape.slice(1) as [number, number, number, number];
}

/** 3D convolution with bias. [b, h, w, d, c] -> [b, h', w', d', filters]. */
export function convolveVolume(
  x: SymbolicTensor,
  name: string,
  filters: number,
  kernelSize: number | [number, number, number],
  options: { strides?: number; padding?: 'same' | 'valid' } = {},
): SymbolicTensor {
  const { strides = 1, padding = 'same' } = options;
  const layer = layers.conv3d({ name, filters, kernelSize, strides, padding, kernelInitializer: 'zeros' });
  return layer.apply(x) as SymbolicTensor;
}

/**
 * Batch normalisation and LeakyReLU 0.2 of a volume, through rank 4 because tfjs-layers normalises no rank 5.
 * Keeps the shape [b, h, w, d, c].
 */
export function normalizeVolume(x: SymbolicTensor, name: string): SymbolicTensor {
  const [h, w, d, c] = volumeShape(x);
  let y = normalize(reshape(x, `${name}_flat`, [h * w, d, c]), name);
  y = layers.leakyReLU({ name: `${name}_leaky`, alpha: 0.2 }).apply(y) as SymbolicTensor;
  return reshape(y, `${name}_volume`, [h, w, d, c]);
}

/** Nearest-neighbour up-sampling by 2 along h, w and d: two planar up-samplings between reshapes. */
export function doubleVolume(x: SymbolicTensor, name: string): SymbolicTensor {
  const [h, w, d, c] = volumeShape(x);
  let y = reshape(x, `${name}_plane`, [h, w, d * c]);
  y = upsample(y, `${name}_plane_up`, [2, 2]);
  y = reshape(y, `${name}_depth`, [4 * h * w, d, c]);
  y = upsample(y, `${name}_depth_up`, [1, 2]);
  return reshape(y, `${name}_volume`, [2 * h, 2 * w, 2 * d, c]);
}

/**
 * Repeats the depth slices of a flat volume until there are `depth` of them (nearest neighbour).
 * [b, h, w, from * c] -> [b, h, w, depth, c].
 */
export function stretchDepth(x: SymbolicTensor, name: string, from: number, depth: number): SymbolicTensor {
  const [, h, w, flat] = x.shape as number[];
  const c = flat / from;
  if (from === depth) return reshape(x, `${name}_volume`, [h, w, depth, c]);
  const y = upsample(reshape(x, `${name}_depth`, [h * w, from, c]), `${name}_stretch`, [1, depth / from]);
  return reshape(y, `${name}_volume`, [h, w, depth, c]);
}

/**
 * Averages neighbouring depth slices until `depth` of them are left. [b, h, w, d, c] -> [b, h, w, depth * c].
 */
export function poolDepth(x: SymbolicTensor, name: string, depth: number): SymbolicTensor {
  const [h, w, d, c] = volumeShape(x);
  if (d === depth) return reshape(x, `${name}_plane`, [h, w, depth * c]);
  const size: [number, number] = [1, d / depth];
  const flat = reshape(x, `${name}_depth`, [h * w, d, c]);
  const pooled = layers.averagePooling2d({ name: `${name}_pool`, poolSize: size, strides: size }).apply(flat);
  return reshape(pooled as SymbolicTensor, `${name}_plane`, [h, w, depth * c]);
}
