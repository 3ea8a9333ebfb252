import {
  dispose,
  div,
  keep,
  mul,
  reshape,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core';

import type { NamedWeights, NetworkDescription, NetworkOperations } from './network-operations.ts';

const MEAN_RGB = [117.001, 114.697, 97.404];

/**
 * The tiny face detector of `@vladmandic/face-api` (a tiny YOLO v2 with separable convolutions, architecture
 * ported from its MIT source). The first convolution has no border, so the shift and scale of its input are
 * folded into it. Output [b, cells, 5 anchors x 5]. Takes over the weights.
 */
export function describeTiny(weights: NamedWeights, inputSize: number): NetworkDescription {
  const first = foldInput(weights);
  const build = <T>(operations: NetworkOperations<T>, picture: T): T[] => {
    const separable = (x: T, name: string): T =>
      operations.convolve(
        operations.convolveDepthwise(operations.padOne(x), {
          filter: weights[`${name}/depthwise_filter`] as Tensor4D,
          pad: 'valid',
        }),
        {
          filter: weights[`${name}/pointwise_filter`] as Tensor4D,
          bias: weights[`${name}/bias`] as Tensor1D,
          pad: 'valid',
          activation: 'leaky',
        },
      );
    let x = operations.convolve(picture, { ...first, pad: 'valid', activation: 'leaky' });
    for (let i = 1; i <= 5; i++) x = separable(operations.maxPool(x, 2, 2), `conv${i}`);
    const last = operations.convolve(operations.maxPool(x, 2, 1), {
      filter: weights['conv8/filters'] as Tensor4D,
      bias: weights['conv8/bias'] as Tensor1D,
      pad: 'valid',
    });
    return [operations.joinCells([last], 25)];
  };
  return {
    head: { kind: 'tiny', inputSize, overlap: 0.4, anchors: new Float32Array(0) },
    build,
    dispose: () => {
      dispose(weights);
      dispose([first.filter, first.bias]);
    },
  };
}

/** W ((x - mean) / 255) + b as a convolution of x. */
function foldInput(weights: NamedWeights): { filter: Tensor4D; bias: Tensor1D } {
  return tidy(() => {
    const filter = div(weights['conv0/filters'], 255);
    const means: Tensor = reshape(tensor1d(MEAN_RGB), [1, 1, 3, 1]);
    const bias = sub(weights['conv0/bias'], sum(mul(filter, means), [0, 1, 2]));
    return { filter: keep(filter) as Tensor4D, bias: keep(bias) as Tensor1D };
  });
}
