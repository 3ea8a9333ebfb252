import {
  add,
  batchNorm,
  customGrad,
  div,
  engine,
  getBackend,
  getKernel,
  keep,
  mean,
  mul,
  reshape,
  rsqrt,
  square,
  sub,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  tidy,
} from '@tensorflow/tfjs-core';
import { hasOwnOperations, isNative, OWN_OPERATIONS, runNative } from '../native/run-native.ts';

/** A normalized batch, and statistics: its own, or the running ones after it. */
export type NormalizedBatch<T extends Tensor> = {
  readonly output: T;
  /** Over all axes but the last, [c]. */
  readonly mean: Tensor1D;
  readonly variance: Tensor1D;
};

/** Running statistics before a batch, and how much of them stays. */
export interface RunningStatistics {
  readonly mean: Tensor1D;
  readonly variance: Tensor1D;
  /** Share of the past, 0 to take the batch's own statistics. */
  readonly momentum: number;
}

/**
 * Batch normalization over all axes but the last, for tensors of any rank from 2 (TensorFlow.js stops at rank 4):
 * (x - mean) / sqrt(variance + epsilon) * scale + offset, with the batch's own statistics. The gradient is the closed form
 * dx = scale / s * (dy - mean(dy) - x^ mean(dy x^)), where TensorFlow.js differentiates the formula step by step, some
 * forty passes over the tensor: one compiled kernel each way on wasm and on the native backend, a composition elsewhere.
 * The statistics have no gradient.
 *
 * @param x [..., c]. @param scale [c]. @param offset [c].
 * @param running statistics so far: those after this batch are returned in place of the batch's own. Running variances
 * are unbiased (n / (n - 1)), as in PyTorch and in Keras' fused layer.
 */
export function normalizeBatch<T extends Tensor>(
  x: T,
  scale: Tensor1D,
  offset: Tensor1D,
  epsilon: number = 1e-5,
  running?: RunningStatistics,
): NormalizedBatch<T> {
  return tidy(() => {
    if (running !== undefined && isNative()) return normalizeNatively(x, scale, offset, epsilon, running);
    const isCompiled = Boolean(getKernel('NormalizeBatch', getBackend()));
    const forward = isCompiled ? compiledForward : composedForward;
    const backward = isCompiled ? compiledBackward : composedBackward;
    const batch = differentiate(
      x,
      scale,
      offset,
      () => {
        const outputs = forward(x, scale, offset, epsilon);
        return { outputs, saved: [x, scale, ...outputs.slice(1)] };
      },
      (dy, saved) => backward(dy, saved, epsilon),
    );
    if (running === undefined) return batch;
    const rows = x.size / scale.size;
    const move = (old: Tensor1D, value: Tensor): Tensor1D =>
      add(old, mul(sub(value, old), 1 - running.momentum)) as Tensor1D;
    const { output, mean: center, variance } = batch;
    const unbiased = mul(variance, rows / Math.max(1, rows - 1));
    return { output, mean: move(running.mean, center), variance: move(running.variance, unbiased) };
  });
}

/** A normalization with its gradient, for x of any form. @param forward gives output, mean and variance, and what `backward` reads. */
function differentiate<T extends Tensor>(
  x: T,
  scale: Tensor1D,
  offset: Tensor1D,
  forward: () => { outputs: Tensor[]; saved: Tensor[] },
  backward: (dy: Tensor, saved: Tensor[]) => Tensor[],
): NormalizedBatch<T> {
  const statistics: Tensor[] = [];
  const operation = customGrad((...args: unknown[]) => {
    const { outputs, saved } = forward();
    const [value, center, variance] = outputs;
    // Kept: the tidy around a custom gradient would dispose what it does not return.
    statistics.push(keep(center), keep(variance));
    (args[3] as (tensors: Tensor[]) => void)(saved);
    return { value, gradFunc: backward };
  });
  const output = operation(x, scale, offset) as T;
  const [mean, variance] = release(statistics);
  return { output, mean, variance };
}

/** Kept tensors as tensors of the scope around. */
function release(statistics: readonly Tensor[]): Tensor1D[] {
  return statistics.map((tensor) => {
    const copy = tensor.clone() as Tensor1D;
    tensor.dispose();
    return copy;
  });
}

const NATIVE = { data_format: 'NHWC', is_training: true };

function normalizeNatively<T extends Tensor>(
  x: T,
  scale: Tensor1D,
  offset: Tensor1D,
  epsilon: number,
  running: RunningStatistics,
): NormalizedBatch<T> {
  const share = 1 - running.momentum;
  if (hasOwnOperations()) {
    const { normalization, normalizationGradient } = OWN_OPERATIONS;
    return differentiate(
      x,
      scale,
      offset,
      () => {
        const inputs = [x, scale, offset, running.mean, running.variance];
        const outputs = runNative(normalization, inputs, 5, [], { epsilon, share });
        return { outputs, saved: [x, scale, offset, ...outputs.slice(3)] };
      },
      (dy, saved) => runNative(normalizationGradient, [dy, ...saved], 3, [], { epsilon }),
    );
  }
  const flat = x.rank === 4 ? x : reshape(x, [-1, 1, 1, scale.size]);
  const attributes = { ...NATIVE, epsilon };
  const batch = differentiate(
    flat as Tensor,
    scale,
    offset,
    () => {
      const inputs = [flat, scale, offset, running.mean, running.variance];
      const forward = { ...attributes, exponential_avg_factor: share };
      const outputs = runNative('FusedBatchNormV3', inputs, 6, ['T', 'U'], forward);
      return { outputs, saved: [flat, scale, ...outputs.slice(3)] };
    },
    (dy, saved) => runNative('FusedBatchNormGradV3', [dy, ...saved], 5, ['T', 'U'], attributes).slice(0, 3),
  );
  return { ...batch, output: (x.rank === 4 ? batch.output : reshape(batch.output, x.shape)) as T };
}

function compiledForward(x: Tensor, scale: Tensor, offset: Tensor, epsilon: number): Tensor[] {
  return engine().runKernel('NormalizeBatch', { x, scale, offset }, { epsilon }) as unknown as Tensor[];
}

function compiledBackward(dy: Tensor, [x, scale, center, variance]: Tensor[], epsilon: number): Tensor[] {
  const inputs = { dy, x, mean: center, variance, scale };
  return engine().runKernel('NormalizeBatchGradient', inputs, { epsilon }) as unknown as Tensor[];
}

function composedForward(x: Tensor, scale: Tensor, offset: Tensor, epsilon: number): Tensor[] {
  const flat = reshape(x, [-1, 1, 1, scale.size]) as Tensor4D;
  const center = mean(flat, [0, 1, 2]) as Tensor1D;
  const variance = mean(square(sub(flat, center)), [0, 1, 2]) as Tensor1D;
  const output = batchNorm(flat, center, variance, offset as Tensor1D, scale as Tensor1D, epsilon);
  return [reshape(output, x.shape), center, variance];
}

function composedBackward(dy: Tensor, [x, scale, center, variance]: Tensor[], epsilon: number): Tensor[] {
  const channels = scale.size;
  const rows = x.size / channels;
  const gradient = reshape(dy, [rows, channels]);
  const inverse = rsqrt(add(variance, epsilon));
  const normalized = mul(sub(reshape(x, [rows, channels]), center), inverse);
  const offsetGradient = sum(gradient, 0);
  const scaleGradient = sum(mul(gradient, normalized), 0);
  const common = div(add(offsetGradient, mul(normalized, scaleGradient)), rows);
  const dx = mul(sub(gradient, common), mul(scale, inverse));
  return [reshape(dx, x.shape), scaleGradient, offsetGradient];
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
