import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import {
  dispose,
  div,
  keep,
  mul,
  reshape,
  sub,
  sum,
  type Tensor,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { NamedWeights, NetworkDescription, NetworkOperations } from './detection-network.ts';
import type { Candidate } from './non-max-suppression.ts';

const MEAN_RGB = [117.001, 114.697, 97.404];

/** Widths and heights of the anchors in cells. */
const ANCHORS = [
  [1.603231, 2.094468],
  [6.041143, 7.080126],
  [2.882459, 3.518061],
  [4.266906, 5.178857],
  [9.041765, 10.66308],
];

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

/** Sigmoid offsets in the cell and exponential sizes relative to the anchors. */
export function decodeTiny(values: Float32Array, minScore: number): Candidate[] {
  const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
  const cells = Math.sqrt(values.length / 25);
  const candidates: Candidate[] = [];
  for (let cell = 0; cell < cells * cells; cell++) {
    ANCHORS.forEach(([anchorWidth, anchorHeight], anchor) => {
      const at = (cell * ANCHORS.length + anchor) * 5;
      const score = sigmoid(values[at + 4]);
      if (!(score > minScore)) return;
      const centerX = ((cell % cells) + sigmoid(values[at])) / cells;
      const centerY = (Math.floor(cell / cells) + sigmoid(values[at + 1])) / cells;
      const halfWidth = (Math.exp(values[at + 2]) * anchorWidth) / cells / 2;
      const halfHeight = (Math.exp(values[at + 3]) * anchorHeight) / cells / 2;
      candidates.push({
        left: centerX - halfWidth,
        top: centerY - halfHeight,
        right: centerX + halfWidth,
        bottom: centerY + halfHeight,
        score,
      });
    });
  }
  return candidates;
}
