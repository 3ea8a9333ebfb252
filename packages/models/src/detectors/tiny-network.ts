import {
  add,
  conv2d,
  dispose,
  div,
  leakyRelu,
  maxPool,
  pad,
  separableConv2d,
  sub,
  type Tensor4D,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { DetectionNetwork, NamedWeights } from './detection-network.ts';
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
 * ported from its MIT source), on the caller's own TensorFlow.js. Takes over the weights.
 */
export function createTinyNetwork(weights: NamedWeights): DetectionNetwork {
  const separable = (x: Tensor4D, name: string): Tensor4D => {
    const padded = pad(x, [
      [0, 0],
      [1, 1],
      [1, 1],
      [0, 0],
    ]) as Tensor4D;
    const depthwise = weights[`${name}/depthwise_filter`] as Tensor4D;
    const pointwise = weights[`${name}/pointwise_filter`] as Tensor4D;
    const y = separableConv2d(padded, depthwise, pointwise, 1, 'valid');
    return leakyRelu(add(y, weights[`${name}/bias`]), 0.1) as Tensor4D;
  };
  const plain = (x: Tensor4D, name: string): Tensor4D =>
    add(conv2d(x, weights[`${name}/filters`] as Tensor4D, 1, 'valid'), weights[`${name}/bias`]) as Tensor4D;
  return {
    overlap: 0.4,
    run: (image) =>
      tidy(() => {
        let x = div(sub(image, tensor1d(MEAN_RGB)), 255) as Tensor4D;
        x = leakyRelu(plain(x, 'conv0'), 0.1);
        for (let i = 1; i <= 5; i++) x = separable(maxPool(x, 2, 2, 'same'), `conv${i}`);
        return [plain(maxPool(x, 2, 1, 'same'), 'conv8')];
      }),
    decode: ([values], [shape], minScore) => decodeTiny(values, shape[1], minScore),
    dispose: () => dispose(weights),
  };
}

function decodeTiny(values: Float32Array, cells: number, minScore: number): Candidate[] {
  const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
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
