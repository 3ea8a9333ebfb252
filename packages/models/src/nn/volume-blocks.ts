import { layers, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { normalize, reshape, upsample } from './blocks.ts';

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
