import {
  add,
  customGrad,
  keep,
  mul,
  sub,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { isNative, normalizeBatch as normalizeWithBatch, runNative } from '@voxface/backend';

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

/**
 * Batch normalisation with the batch's own statistics, and the running statistics after it. TensorFlow.js
 * differentiates the formula step by step, some forty passes over the tensor; this is two kernels on the native
 * backend, and `normalizeBatch` of `@voxface/backend` (closed form, two kernels on wasm) elsewhere. Running variances
 * are unbiased (n / (n - 1)), as in PyTorch and in Keras' fused layer.
 * @param x [b, h, w, c]. @param scale [c]. @param offset [c].
 */
export function normalizeBatch(
  x: Tensor4D,
  scale: Tensor1D,
  offset: Tensor1D,
  epsilon: number,
  running: RunningStatistics,
): NormalizedBatch {
  if (isNative()) return normalizeNatively(x, scale, offset, epsilon, running);
  const { output, mean, variance } = normalizeWithBatch(x, scale, offset, epsilon);
  const rows = x.size / x.shape[3];
  const move = (old: Tensor1D, value: Tensor): Tensor1D =>
    add(old, mul(sub(value, old), 1 - running.momentum)) as Tensor1D;
  const unbiased = mul(variance, rows / Math.max(1, rows - 1));
  return { output, mean: move(running.mean, mean), variance: move(running.variance, unbiased) };
}

const NATIVE = { data_format: 'NHWC', is_training: true };

function normalizeNatively(
  x: Tensor4D,
  scale: Tensor1D,
  offset: Tensor1D,
  epsilon: number,
  running: RunningStatistics,
): NormalizedBatch {
  const statistics: Tensor[] = [];
  const forward = { ...NATIVE, epsilon, exponential_avg_factor: 1 - running.momentum };
  const normalize = customGrad((...args: unknown[]) => {
    const inputs = [x, scale, offset, running.mean, running.variance];
    const [value, mean, variance, ...saved] = runNative('FusedBatchNormV3', inputs, 6, ['T', 'U'], forward);
    // Kept: the tidy around a custom gradient would dispose what it does not return.
    statistics.push(keep(mean), keep(variance));
    (args[3] as (tensors: Tensor[]) => void)([x, scale, ...saved]);
    const gradFunc = (dy: Tensor, kept: Tensor[]): Tensor[] =>
      runNative('FusedBatchNormGradV3', [dy, ...kept], 5, ['T', 'U'], { ...NATIVE, epsilon }).slice(0, 3);
    return { value, gradFunc };
  });
  const output = normalize(x, scale, offset) as Tensor4D;
  const [mean, variance] = statistics.map((tensor) => {
    const copy = tensor.clone() as Tensor1D;
    tensor.dispose();
    return copy;
  });
  return { output, mean, variance };
}
