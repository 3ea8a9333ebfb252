import {
  dispose,
  pad as padTensor,
  reshape,
  slice,
  type Tensor,
  type TensorInfo,
  transpose,
} from '@tensorflow/tfjs-core';
import type { KernelReplacement } from '../register-kernels.ts';
import { hasOwnOperations, OWN_OPERATIONS, runNative } from './run-native.ts';

interface Attributes {
  strides: number | number[];
  pad: 'same' | 'valid';
  dataFormat?: string;
  filterShape?: number[];
  inputShape?: number[];
}

/** The filter's gradient by our operation, for 2D and 3D; undefined where there is none. */
function runFilterGradient(x: TensorInfo, dy: TensorInfo, attributes: Attributes): Tensor | undefined {
  const { pad, filterShape } = attributes;
  const isPadded = pad === 'same';
  const isCovered = (isPadded || pad === 'valid') && x.dtype === 'float32' && dy.dtype === 'float32';
  if (!isCovered || !hasOwnOperations()) return undefined;
  const kernel = filterShape!.slice(0, -2);
  const strides = kernel.map((_, i) => [attributes.strides].flat()[i] ?? [attributes.strides].flat()[0]);
  const before = kernel.map((size, i) =>
    isPadded ? Math.max(0, (dy.shape[i + 1] - 1) * strides[i] + size - x.shape[i + 1]) >> 1 : 0,
  );
  const { filterGradient } = OWN_OPERATIONS;
  const [filter, bias] = runNative(filterGradient, [x, dy], 2, [], { kernel, strides, before });
  bias.dispose();
  return filter;
}

/** Conv2DBackpropFilter through our operation. */
export const conv2dFilterGradient: KernelReplacement = {
  kernelName: 'Conv2DBackpropFilter',
  backendName: 'tensorflow',
  create: (original) => (params) => {
    const { x, dy } = params.inputs as unknown as Record<'x' | 'dy', TensorInfo>;
    const attributes = params.attrs as unknown as Attributes;
    if (attributes.dataFormat !== 'NHWC') return original(params);
    return runFilterGradient(x, dy, attributes) ?? original(params);
  },
};

/**
 * Gradients of 3D convolutions of kernel 4 and stride 2 with few input channels: oneDNN's vectors run along the channels. Blocks of
 * 2x2x2 voxels become eight times the channels; kernel 4 and stride 2 become kernel 2 and stride 1: the same products in another order.
 * From so many channels on oneDNN is as fast without.
 */
const INPUT_GRADIENT_CHANNELS = 8;
const FILTER_GRADIENT_CHANNELS = 64;

const UNSTRIDED = { strides: 1, pad: 'valid', dataFormat: 'NDHWC', dilations: 1 };

/** Conv3DBackpropInputV2 of few channels. */
export const conv3dInputGradient: KernelReplacement = {
  kernelName: 'Conv3DBackpropInputV2',
  backendName: 'tensorflow',
  create: (original) => (params) => {
    const { dy, filter } = params.inputs as unknown as { dy: Tensor; filter: Tensor };
    const attributes = params.attrs as unknown as Attributes;
    const [b, h, w, d, channels] = attributes.inputShape!;
    if (channels >= INPUT_GRADIENT_CHANNELS || !isFoldable(attributes, [h, w, d], filter.shape))
      return original(params);
    const folded = foldFilter(filter);
    const inputShape = [b, h / 2 + 1, w / 2 + 1, d / 2 + 1, 8 * channels];
    const gradient = original({
      ...params,
      inputs: { dy, filter: folded },
      attrs: { ...UNSTRIDED, inputShape },
    }) as Tensor;
    const padded = unfoldVolume(gradient);
    const result = slice(padded, [0, 1, 1, 1, 0], [b, h, w, d, channels]);
    dispose([folded, gradient, padded]);
    return result;
  },
};

/** Conv3DBackpropFilterV2 through our operation, or with strides folded where channels are few. */
export const conv3dFilterGradient: KernelReplacement = {
  kernelName: 'Conv3DBackpropFilterV2',
  backendName: 'tensorflow',
  create: (original) => (params) => {
    const { x, dy } = params.inputs as unknown as { x: Tensor; dy: Tensor };
    const attributes = params.attrs as unknown as Attributes;
    const filterShape = attributes.filterShape!;
    const [, , , channels, filters] = filterShape;
    const ours = runFilterGradient(x, dy, attributes);
    if (ours !== undefined) return ours;
    if (channels >= FILTER_GRADIENT_CHANNELS || !isFoldable(attributes, x.shape.slice(1, 4), filterShape))
      return original(params);
    const folded = foldVolume(x);
    const gradient = original({
      ...params,
      inputs: { x: folded, dy },
      attrs: { ...UNSTRIDED, filterShape: [2, 2, 2, 8 * channels, filters] },
    }) as Tensor;
    const result = unfoldFilter(gradient, channels);
    dispose([folded, gradient]);
    return result;
  },
};

function isFoldable(
  { strides, pad }: Attributes,
  size: readonly number[],
  filter: readonly number[],
): boolean {
  return (
    pad === 'same' &&
    [strides].flat().every((stride) => stride === 2) &&
    filter.slice(0, 3).every((k) => k === 4) &&
    size.every((n) => n % 2 === 0)
  );
}

/** A border of one voxel, then blocks to channels: [b, h, w, d, c] -> [b, h/2+1, w/2+1, d/2+1, 8c]. */
function foldVolume(x: Tensor): Tensor {
  const [b, h, w, d, c] = x.shape;
  const padded = padTensor(x, [
    [0, 0],
    [1, 1],
    [1, 1],
    [1, 1],
    [0, 0],
  ]);
  const blocks = reshape(padded, [b, h / 2 + 1, 2, w / 2 + 1, 2, d / 2 + 1, 2 * c]);
  const moved = transpose(blocks, [0, 1, 3, 5, 2, 4, 6]);
  const result = reshape(moved, [b, h / 2 + 1, w / 2 + 1, d / 2 + 1, 8 * c]);
  dispose([padded, blocks, moved]);
  return result;
}

/** Channels to blocks, the reverse of `foldVolume` but for the border. */
function unfoldVolume(x: Tensor): Tensor {
  const [b, h, w, d, folded] = x.shape;
  const blocks = reshape(x, [b, h, w, d, 2, 2, folded / 4]);
  const moved = transpose(blocks, [0, 1, 4, 2, 5, 3, 6]);
  const result = reshape(moved, [b, 2 * h, 2 * w, 2 * d, folded / 8]);
  dispose([blocks, moved]);
  return result;
}

/** The filter of folded volumes: [4, 4, 4, c, o] -> [2, 2, 2, 8c, o]. */
function foldFilter(filter: Tensor): Tensor {
  const [, , , c, o] = filter.shape;
  const blocks = reshape(filter, [2, 2, 2, 2, 2, 2 * c, o]);
  const moved = transpose(blocks, [0, 2, 4, 1, 3, 5, 6]);
  const result = reshape(moved, [2, 2, 2, 8 * c, o]);
  dispose([blocks, moved]);
  return result;
}

function unfoldFilter(filter: Tensor, channels: number): Tensor {
  const o = filter.shape[4]!;
  const blocks = reshape(filter, [2, 2, 2, 2, 2, 2 * channels, o]);
  const moved = transpose(blocks, [0, 3, 1, 4, 2, 5, 6]);
  const result = reshape(moved, [4, 4, 4, channels, o]);
  dispose([blocks, moved]);
  return result;
}
