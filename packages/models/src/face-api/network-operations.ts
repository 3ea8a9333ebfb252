import {
  add,
  concat,
  fused,
  leakyRelu,
  maxPool,
  mul,
  pad,
  reshape,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import type { DetectionHead } from '@voxface/predict';
/** Weights by the names of `@vladmandic/face-api`'s manifests. */
export type NamedWeights = Record<string, Tensor>;

export type DetectionActivation = 'linear' | 'relu6' | 'leaky';

/**
 * A convolution and what follows it.
 * @internal
 */
export interface ConvolutionOptions {
  readonly filter: Tensor4D;
  readonly bias?: Tensor1D;
  readonly strides?: number;
  readonly pad: 'same' | 'valid';
  readonly activation?: DetectionActivation;
}

/**
 * The operations that the detectors are made of. One description of each network is run on tensors
 * (`tensorOperations`) or written as ONNX (`exportDetector` of `@voxface/onnx`). Values are [b, h, w, c]; leaky rectifiers have
 * slope 0.1.
 * @internal
 */
export interface NetworkOperations<T> {
  convolve(x: T, options: ConvolutionOptions): T;
  /** Depthwise convolution, filter [k, k, c, 1]. */
  convolveDepthwise(x: T, options: ConvolutionOptions): T;
  /** x scale + offset. */
  rescale(x: T, scale: number, offset: number): T;
  maxPool(x: T, size: number, strides: number): T;
  /** A border of zeros of one pixel. */
  padOne(x: T): T;
  /** [b, h, w, k size] each -> [b, all cells of all maps, size]. */
  joinCells(maps: readonly T[], size: number): T;
}

/** A network described once for every kind of operations. */
export interface NetworkDescription {
  readonly head: DetectionHead;
  /** Picture [b, size, size, 3] in 0..255 -> outputs. */
  build<T>(operations: NetworkOperations<T>, picture: T): T[];
  /** Frees the weights. */
  dispose(): void;
}

/** Runs at once on the current backend of TensorFlow.js, with fused kernels. Call inside `tidy`. */
export const tensorOperations: NetworkOperations<Tensor> = {
  convolve: (x, options) =>
    rectify(fused.conv2d({ x: x as Tensor4D, ...fusedOptions(options) }), options.activation),
  convolveDepthwise: (x, options) =>
    rectify(fused.depthwiseConv2d({ x: x as Tensor4D, ...fusedOptions(options) }), options.activation),
  rescale: (x, scale, offset) => add(mul(x, scale), offset),
  maxPool: (x, size, strides) => maxPool(x as Tensor4D, size, strides, 'same'),
  padOne: (x) =>
    pad(x, [
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ]),
  joinCells: (maps, size) => {
    const cells = maps.map((map) => reshape(map, [map.shape[0], -1, size]));
    return cells.length === 1 ? cells[0] : concat(cells, 1);
  },
};

function fusedOptions({ filter, bias, strides = 1, pad: border, activation }: ConvolutionOptions) {
  const name = activation === 'relu6' ? 'relu6' : 'linear';
  return { filter, bias, strides, pad: border, activation: name } as const;
}

/** The rectifier that the fused kernels lack. */
function rectify(x: Tensor, activation: ConvolutionOptions['activation']): Tensor {
  return activation === 'leaky' ? leakyRelu(x, 0.1) : x;
}
