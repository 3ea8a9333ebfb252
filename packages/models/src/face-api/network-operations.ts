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
import { input, type LayersModel, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { DetectionHead } from '@voxface/predict';
/** Weights by the names of `@vladmandic/face-api`'s manifests. */
export type NamedWeights = Record<string, Tensor>;

export type DetectionActivation = 'linear' | 'relu6' | 'leaky';

export interface ConvolutionOptions {
  readonly filter: Tensor4D;
  readonly bias?: Tensor1D;
  readonly strides?: number;
  readonly pad: 'same' | 'valid';
  readonly activation?: DetectionActivation;
}

/**
 * The operations that the detectors are made of. One description of each network is run on tensors
 * (`tensorOperations`) or becomes a model of layers that can be exported (`layerOperations`). Values are
 * [b, h, w, c]; leaky rectifiers have slope 0.1.
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

/**
 * A described network as a tfjs-layers model with its own copy of the weights, to be exported.
 * @internal
 */
export function buildDetectionLayers({ head, build }: NetworkDescription): LayersModel {
  const picture = input({ shape: [head.inputSize, head.inputSize, 3], name: 'picture' });
  return model({ inputs: picture, outputs: build(layerOperations, picture), name: `detector_${head.kind}` });
}

const layerOperations: NetworkOperations<SymbolicTensor> = {
  convolve: (x, options) => {
    const [kernelSize, , , filters] = options.filter.shape;
    const layer = layers.conv2d({ filters, kernelSize, ...settingsOf(options) });
    return rectifyLayer(applyWith(layer, x, options), options.activation);
  },
  convolveDepthwise: (x, options) => {
    const layer = layers.depthwiseConv2d({ kernelSize: options.filter.shape[0], ...settingsOf(options) });
    return rectifyLayer(applyWith(layer, x, options), options.activation);
  },
  rescale: (x, scale, offset) => layers.rescaling({ scale, offset }).apply(x) as SymbolicTensor,
  maxPool: (x, poolSize, strides) =>
    layers.maxPooling2d({ poolSize, strides, padding: 'same' }).apply(x) as SymbolicTensor,
  padOne: (x) => layers.zeroPadding2d({ padding: 1 }).apply(x) as SymbolicTensor,
  joinCells: (maps, size) => {
    const cells = maps.map((map) => {
      const values = (map.shape.slice(1) as number[]).reduce((a, b) => a * b, 1);
      return layers.reshape({ targetShape: [values / size, size] }).apply(map) as SymbolicTensor;
    });
    return cells.length === 1 ? cells[0] : (layers.concatenate({ axis: 1 }).apply(cells) as SymbolicTensor);
  },
};

function settingsOf({ bias, strides = 1, pad }: ConvolutionOptions) {
  return { strides, padding: pad, useBias: bias !== undefined } as const;
}

function applyWith(
  layer: { apply(x: SymbolicTensor): unknown; setWeights(weights: Tensor[]): void },
  x: SymbolicTensor,
  { filter, bias }: ConvolutionOptions,
): SymbolicTensor {
  const y = layer.apply(x) as SymbolicTensor;
  layer.setWeights(bias ? [filter, bias] : [filter]);
  return y;
}

function rectifyLayer(x: SymbolicTensor, activation: DetectionActivation = 'linear'): SymbolicTensor {
  if (activation === 'linear') return x;
  const layer = activation === 'relu6' ? layers.reLU({ maxValue: 6 }) : layers.leakyReLU({ alpha: 0.1 });
  return layer.apply(x) as SymbolicTensor;
}
