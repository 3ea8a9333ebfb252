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
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import type { ConvolutionOptions, NetworkOperations } from './detection-network.ts';

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
