import {
  add,
  dispose,
  div,
  keep,
  mul,
  reshape,
  rsqrt,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  tensor1d,
  tidy,
} from '@tensorflow/tfjs-core';
import type { NamedWeights, NetworkDescription, NetworkOperations } from './network-operations.ts';

/** Side of the input that the anchors belong to. */
export const SSD_INPUT_SIZE = 512;
const BATCH_NORM_EPSILON = 1e-3;
const DEPTHWISE_STRIDES_2 = new Set([2, 4, 6, 12]);

interface DepthwiseLayer {
  readonly filter: Tensor4D;
  readonly bias: Tensor1D;
}

/**
 * The SSD MobileNet V1 face detector of `@vladmandic/face-api` (architecture ported from its MIT source). Batch
 * normalisation is folded into the depthwise filters. Outputs box encodings [b, cells, 4] and class scores
 * [b, cells, 3]. Takes over the weights.
 */
export function describeSsd(weights: NamedWeights): NetworkDescription {
  const depthwise = Array.from({ length: 13 }, (_, i) => foldDepthwise(weights, i + 1));
  const filter = (name: string): Tensor4D => weights[`${name}/weights`] as Tensor4D;
  const bias = (name: string): Tensor1D => weights[name] as Tensor1D;
  const build = <T>(operations: NetworkOperations<T>, picture: T): T[] => {
    const pointwise = (x: T, name: string, strides = 1): T =>
      operations.convolve(x, {
        filter: filter(name),
        bias: bias(`${name}/convolution_bn_offset`),
        strides,
        pad: 'same',
        activation: 'relu6',
      });
    const predict = (maps: readonly T[], kind: string, size: number): T => {
      const predictions = maps.map((map, i) => {
        const name = `Prediction/BoxPredictor_${i}/${kind}`;
        return operations.convolve(map, { filter: filter(name), bias: bias(`${name}/biases`), pad: 'same' });
      });
      return operations.joinCells(predictions, size);
    };
    let x = pointwise(operations.rescale(picture, 1 / 127.5, -1), 'MobilenetV1/Conv2d_0_pointwise', 2);
    const maps: T[] = [];
    depthwise.forEach((layer, i) => {
      const strides = DEPTHWISE_STRIDES_2.has(i + 1) ? 2 : 1;
      x = operations.convolveDepthwise(x, { ...layer, strides, pad: 'same', activation: 'relu6' });
      x = pointwise(x, `MobilenetV1/Conv2d_${i + 1}_pointwise`);
      if (i + 1 === 11 || i + 1 === 13) maps.push(x);
    });
    for (let i = 0; i < 8; i++) {
      x = pointwise(x, `Prediction/Conv2d_${i}_pointwise`, i % 2 === 1 ? 2 : 1);
      if (i % 2 === 1) maps.push(x);
    }
    return [predict(maps, 'BoxEncodingPredictor', 4), predict(maps, 'ClassPredictor', 3)];
  };
  return {
    head: {
      kind: 'ssd',
      inputSize: SSD_INPUT_SIZE,
      overlap: 0.5,
      anchors: Float32Array.from(weights['Output/extra_dim'].dataSync()),
    },
    build,
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
