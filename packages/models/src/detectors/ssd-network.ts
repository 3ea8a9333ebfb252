import {
  add,
  concat,
  dispose,
  div,
  fused,
  keep,
  mul,
  reshape,
  rsqrt,
  sub,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  tidy,
} from '@tensorflow/tfjs-core';
import type { DetectionNetwork, NamedWeights } from './detection-network.ts';
import type { Candidate } from './non-max-suppression.ts';

/** Side of the input that the anchors belong to. */
export const SSD_INPUT_SIZE = 512;
const BATCH_NORM_EPSILON = 1e-3;
const DEPTHWISE_STRIDES_2 = new Set([2, 4, 6, 12]);

interface DepthwiseLayer {
  readonly filter: Tensor4D;
  readonly bias: Tensor1D;
}

/**
 * The SSD MobileNet V1 face detector of `@vladmandic/face-api` (architecture ported from its MIT source), on the
 * caller's own TensorFlow.js. Batch normalisation is folded into the depthwise filters. Takes over the weights.
 */
export function createSsdNetwork(weights: NamedWeights): DetectionNetwork {
  const depthwise = Array.from({ length: 13 }, (_, i) => foldDepthwise(weights, i + 1));
  const anchors = Float32Array.from(weights['Output/extra_dim'].dataSync());
  const pointwise = (x: Tensor4D, name: string, strides = 1): Tensor4D =>
    fused.conv2d({
      x,
      filter: weights[`${name}/weights`] as Tensor4D,
      bias: weights[`${name}/convolution_bn_offset`] as Tensor1D,
      strides,
      pad: 'same',
      activation: 'relu6',
    }) as Tensor4D;

  function features(image: Tensor4D): { conv11: Tensor4D; out: Tensor4D } {
    let x = pointwise(sub(div(image, 127.5), 1) as Tensor4D, 'MobilenetV1/Conv2d_0_pointwise', 2);
    let conv11 = x;
    depthwise.forEach(({ filter, bias }, i) => {
      const strides = DEPTHWISE_STRIDES_2.has(i + 1) ? 2 : 1;
      x = fused.depthwiseConv2d({ x, filter, bias, strides, pad: 'same', activation: 'relu6' }) as Tensor4D;
      x = pointwise(x, `MobilenetV1/Conv2d_${i + 1}_pointwise`);
      if (i + 1 === 11) conv11 = x;
    });
    return { conv11, out: x };
  }

  function predict(x: Tensor4D, index: number, kind: string, size: number): Tensor {
    const name = `Prediction/BoxPredictor_${index}/${kind}`;
    const filter = weights[`${name}/weights`] as Tensor4D;
    const bias = weights[`${name}/biases`] as Tensor1D;
    return reshape(fused.conv2d({ x, filter, bias, strides: 1, pad: 'same' }), [-1, size]);
  }

  return {
    overlap: 0.5,
    run: (image) =>
      tidy(() => {
        const { conv11, out } = features(image);
        const maps = [conv11, out];
        let x = out;
        for (let i = 0; i < 8; i++) {
          x = pointwise(x, `Prediction/Conv2d_${i}_pointwise`, i % 2 === 1 ? 2 : 1);
          if (i % 2 === 1) maps.push(x);
        }
        const boxes = concat(maps.map((map, i) => predict(map, i, 'BoxEncodingPredictor', 4)));
        const classes = concat(maps.map((map, i) => predict(map, i, 'ClassPredictor', 3)));
        return [boxes, classes];
      }),
    decode: ([boxes, classes], _shapes, minScore) => decodeSsd(boxes, classes, anchors, minScore),
    dispose: () => {
      dispose(weights);
      for (const layer of depthwise) dispose([layer.filter, layer.bias]);
    },
  };
}

function foldDepthwise(weights: NamedWeights, index: number): DepthwiseLayer {
  const name = `MobilenetV1/Conv2d_${index}_depthwise`;
  const norm = (part: string): Tensor => weights[`${name}/BatchNorm/${part}`];
  return tidy(() => {
    const scale = mul(norm('gamma'), rsqrt(add(norm('moving_variance'), BATCH_NORM_EPSILON)));
    const filter = mul(weights[`${name}/depthwise_weights`], reshape(scale, [1, 1, -1, 1]));
    const bias = sub(norm('beta'), mul(norm('moving_mean'), scale));
    return { filter: keep(filter) as Tensor4D, bias: keep(bias) as Tensor1D };
  });
}

/** Box encodings relative to anchors [top, left, bottom, right] with variances 0.1 and 0.2. */
function decodeSsd(
  boxes: Float32Array,
  classes: Float32Array,
  anchors: Float32Array,
  minScore: number,
): Candidate[] {
  const candidates: Candidate[] = [];
  for (let i = 0; i < classes.length / 3; i++) {
    const score = 1 / (1 + Math.exp(-classes[3 * i + 1]));
    if (!(score > minScore)) continue;
    const [top, left, bottom, right] = anchors.subarray(4 * i, 4 * i + 4);
    const height = bottom - top;
    const width = right - left;
    const centerY = (boxes[4 * i] / 10) * height + top + height / 2;
    const centerX = (boxes[4 * i + 1] / 10) * width + left + width / 2;
    const halfHeight = (Math.exp(boxes[4 * i + 2] / 5) * height) / 2;
    const halfWidth = (Math.exp(boxes[4 * i + 3] / 5) * width) / 2;
    candidates.push({
      left: centerX - halfWidth,
      top: centerY - halfHeight,
      right: centerX + halfWidth,
      bottom: centerY + halfHeight,
      score,
    });
  }
  return candidates;
}
