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

/** A normalized batch and the statistics that normalized it. */
export interface NormalizedBatch<T extends Tensor> {
  output: T;
  /** Over all axes but the last, [c]. */
  mean: Tensor1D;
  variance: Tensor1D;
}

/**
 * Batch normalization over all axes but the last, for tensors of any rank from 2 (TensorFlow.js stops at rank 4):
 * (x - mean) / sqrt(variance + epsilon) * scale + offset, with the batch's own statistics. The gradient is the closed form
 * dx = scale / s * (dy - mean(dy) - x^ mean(dy x^)); one compiled kernel each way where the backend has it (wasm).
 * The statistics have no gradient.
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
    const isCompiled = Boolean(getKernel('NormalizeBatch', getBackend()));
    const statistics: Tensor1D[] = [];
    const operation = customGrad((...args: unknown[]) => {
      const forward = isCompiled ? compiledForward : composedForward;
      const [value, center, variance] = forward(x, scale, offset, epsilon);
      // Kept: the tidy around a custom gradient would dispose what it does not return.
      statistics.push(keep(center) as Tensor1D, keep(variance) as Tensor1D);
      (args[3] as (tensors: Tensor[]) => void)([x, scale, center, variance]);
      const gradFunc = (dy: Tensor, saved: Tensor[]): Tensor[] =>
        isCompiled ? compiledBackward(dy, saved, epsilon) : composedBackward(dy, saved, epsilon);
      return { value, gradFunc };
    });
    const output = operation(x, scale, offset) as T;
    const [center, variance] = statistics.map((statistic) => {
      const copy = statistic.clone();
      statistic.dispose();
      return copy;
    });
    return { output, mean: center, variance };
  });
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
