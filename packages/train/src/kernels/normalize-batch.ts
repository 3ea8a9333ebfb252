import {
  add,
  batchNorm,
  customGrad,
  keep,
  matMul,
  mul,
  ones,
  reshape,
  rsqrt,
  squaredDifference,
  sub,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor4D,
  tidy,
} from '@tensorflow/tfjs-core';
import { isNative, runNative } from './native-operation.ts';

/** A normalized batch and the running statistics after it. */
export interface NormalizedBatch {
  readonly output: Tensor4D;
  readonly mean: Tensor1D;
  readonly variance: Tensor1D;
}

/** Running statistics before a batch, and how much of them stays. */
export interface RunningStatistics {
  readonly mean: Tensor1D;
  readonly variance: Tensor1D;
  /** Share of the past, 0 to take the batch's own statistics. */
  readonly momentum: number;
}

interface Forward extends NormalizedBatch {
  /** What the backward pass needs besides x and scale. */
  readonly saved: Tensor[];
}

/**
 * Batch normalisation with the batch's own statistics and a closed-form gradient:
 * dx = scale / s * (dy - mean(dy) - x^ mean(dy x^)). TensorFlow.js differentiates the formula step by step, some
 * forty passes over the tensor; this takes eight, and two kernels on the native backend. Running variances are
 * unbiased (n / (n - 1)), as in PyTorch and in Keras' fused layer.
 * @param x [b, h, w, c]. @param scale [c]. @param offset [c].
 */
export function normalizeBatch(
  x: Tensor4D,
  scale: Tensor1D,
  offset: Tensor1D,
  epsilon: number,
  running: RunningStatistics,
): NormalizedBatch {
  const statistics: Tensor1D[] = [];
  const [forward, backward] = isNative()
    ? [nativeForward, nativeBackward]
    : [composedForward, composedBackward];
  const normalize = customGrad((...args: unknown[]) => {
    const save = args[3] as (tensors: Tensor[]) => void;
    const { output, mean, variance, saved } = forward(x, scale, offset, epsilon, running);
    statistics.push(keep(mean), keep(variance));
    save([x, scale, ...saved]);
    return {
      value: output,
      gradFunc: (dy: Tensor, kept: Tensor[]) => backward(dy as Tensor4D, kept, epsilon),
    };
  });
  const output = normalize(x, scale, offset) as Tensor4D;
  const [mean, variance] = statistics.map((tensor) => {
    const copy = tensor.clone();
    tensor.dispose();
    return copy;
  });
  return { output, mean, variance };
}

const NATIVE = { data_format: 'NHWC', is_training: true };

function nativeForward(
  x: Tensor4D,
  scale: Tensor1D,
  offset: Tensor1D,
  epsilon: number,
  { mean: oldMean, variance: oldVariance, momentum }: RunningStatistics,
): Forward {
  const inputs = [x, scale, offset, oldMean, oldVariance];
  const attributes = { ...NATIVE, epsilon, exponential_avg_factor: 1 - momentum };
  const outputs = runNative('FusedBatchNormV3', inputs, 6, ['T', 'U'], attributes);
  const [output, mean, variance, ...saved] = outputs;
  return { output, mean, variance, saved } as Forward;
}

function nativeBackward(dy: Tensor4D, [x, scale, ...saved]: Tensor[], epsilon: number): Tensor[] {
  const attributes = { ...NATIVE, epsilon };
  return runNative('FusedBatchNormGradV3', [dy, x, scale, ...saved], 5, ['T', 'U'], attributes).slice(0, 3);
}

function composedForward(
  x: Tensor4D,
  scale: Tensor1D,
  offset: Tensor1D,
  epsilon: number,
  running: RunningStatistics,
): Forward {
  const rows = x.size / x.shape[3];
  const center = channelMean(x);
  const spread = channelMean(squaredDifference(x, center) as Tensor4D);
  const output = batchNorm(x, center, spread, offset, scale, epsilon) as Tensor4D;
  const move = (old: Tensor1D, value: Tensor1D): Tensor1D =>
    add(old, mul(sub(value, old), 1 - running.momentum)) as Tensor1D;
  const unbiased = mul(spread, rows / Math.max(1, rows - 1)) as Tensor1D;
  const [mean, variance] = [move(running.mean, center), move(running.variance, unbiased)];
  return { output, mean, variance, saved: [center, spread] };
}

function composedBackward(dy: Tensor4D, kept: Tensor[], epsilon: number): Tensor[] {
  const [x, scale, mean, variance] = kept as [Tensor4D, Tensor1D, Tensor1D, Tensor1D];
  return tidy(() => {
    const rows = dy.size / dy.shape[3];
    const inverse = rsqrt(add(variance, epsilon));
    const meanDy = channelMean(dy);
    const meanDyX = channelMean(mul(dy, x) as Tensor4D);
    const meanDyNormal = mul(inverse, sub(meanDyX, mul(mean, meanDy)));
    const factor = mul(scale, inverse);
    const slope = mul(mul(factor, inverse), meanDyNormal);
    const constant = sub(mul(slope, mean), mul(factor, meanDy));
    const dx = add(mul(dy, factor), sub(constant, mul(x, slope)));
    return [dx, mul(meanDyNormal, rows), mul(meanDy, rows)];
  });
}

/** Mean per channel as a product with a row of ones: the fastest reduction over rows on every backend. */
function channelMean(x: Tensor4D): Tensor1D {
  return tidy(() => {
    const channels = x.shape[3];
    const rows = x.size / channels;
    const sums = matMul(ones([1, rows]) as Tensor2D, reshape(x, [rows, channels]) as Tensor2D);
    return mul(reshape(sums, [channels]), 1 / rows) as Tensor1D;
  });
}
