import {
  add,
  batchNorm,
  mean,
  mul,
  reshape,
  rsqrt,
  square,
  sub,
  type Tensor,
  type Tensor1D,
  tidy,
} from '@tensorflow/tfjs-core';

/** A normalized batch and the statistics that normalized it. */
export interface NormalizedBatch<T extends Tensor> {
  output: T;
  /** Over all axes but the last, [c]. */
  mean: Tensor1D;
  variance: Tensor1D;
}

/**
 * Batch normalization over all axes but the last, for tensors of any rank from 2 (TensorFlow.js stops at rank 4):
 * (x - mean) / sqrt(variance + epsilon) * scale + offset, with the batch's own statistics and their gradients.
 *
 * @param x [..., c]. @param scale [c]. @param offset [c].
 */
export function normalizeBatch<T extends Tensor>(
  x: T,
  scale: Tensor1D,
  offset: Tensor1D,
  epsilon: number = 1e-5,
): NormalizedBatch<T> {
  return tidy(() => {
    const flat = reshape(x, [-1, x.shape[x.rank - 1]]);
    const center = mean(flat, 0) as Tensor1D;
    const centered = sub(flat, center);
    const variance = mean(square(centered), 0) as Tensor1D;
    const normalized = mul(centered, mul(rsqrt(add(variance, epsilon)), scale));
    return { output: reshape(add(normalized, offset), x.shape) as T, mean: center, variance };
  });
}

/**
 * Batch normalization with given statistics, for tensors of any rank from 2.
 *
 * @param x [..., c]. @param center mean, [c]. @param variance [c]. @param scale [c]. @param offset [c].
 */
export function normalizeWith<T extends Tensor>(
  x: T,
  center: Tensor1D,
  variance: Tensor1D,
  scale: Tensor1D,
  offset: Tensor1D,
  epsilon: number = 1e-5,
): T {
  return tidy(() => {
    const flat = reshape(x, [-1, 1, 1, x.shape[x.rank - 1]]);
    return reshape(batchNorm(flat, center, variance, offset, scale, epsilon), x.shape) as T;
  });
}
