import { type KernelBackend, type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { KernelReplacement } from '../register-kernels.ts';
import { joinParts, sumColumns, sumColumnsInParts } from './column-sums.ts';
import { defineGpuKernel, elementwise, release, runShader, sizeOf } from './webgpu-kernel.ts';

interface Normalized {
  x: TensorInfo;
  scale: TensorInfo;
  offset: TensorInfo;
}

/**
 * Mean and variance over rows. Sums are taken of the distance to the first row, so that a large mean with a small variance loses
 * no digits.
 */
function statisticsOf(backend: KernelBackend, x: TensorInfo, rows: number, width: number): TensorInfo[] {
  const terms = {
    key: 'moments',
    variables: ['x'],
    before: 'let distance = x[at] - x[column];',
    terms: ['distance', 'distance * distance'],
  };
  const parts = sumColumnsInParts(backend, terms, [x], rows, width);
  const n = 'f32(uniforms.rows)';
  const mean = joinParts(backend, 'mean', parts, `x[column] + sum0 / ${n}`, { x }, { rows });
  const variance = joinParts(
    backend,
    'variance',
    parts,
    `max(0.0, sum1 / ${n} - (sum0 / ${n}) * (sum0 / ${n}))`,
    {},
    { rows },
  );
  release(backend, parts);
  return [mean, variance];
}

/** NormalizeBatch, a kernel of our own: [output, mean, variance] of batch normalization in training. */
const normalizeBatch = defineGpuKernel<Normalized, { epsilon: number }>(
  'NormalizeBatch',
  ({ inputs: { x, scale, offset }, attrs: { epsilon }, backend }) => {
    const width = x.shape.at(-1)!;
    const size = sizeOf(x);
    const [mean, variance] = statisticsOf(backend, x, size / width, width);
    const output = runShader(
      backend,
      elementwise(
        `normalize_${epsilon}`,
        ['x', 'mean', 'variance', 'scale', 'offset'],
        [true, true, true, true, true],
        size,
        width,
        `value = (x[at] - mean[channel]) * inverseSqrt(variance[channel] + TYPE(${decimal(epsilon)})) * scale[channel] + offset[channel];`,
      ),
      [x, mean, variance, scale, offset],
      x.shape,
    );
    return [output, mean, variance];
  },
);

interface Gradient {
  dy: TensorInfo;
  x: TensorInfo;
  mean: TensorInfo;
  variance: TensorInfo;
  scale: TensorInfo;
}

/** NormalizeBatchGradient, a kernel of our own: gradients with respect to x, scale and offset. */
const normalizeBatchGradient = defineGpuKernel<Gradient, { epsilon: number }>(
  'NormalizeBatchGradient',
  ({ inputs: { dy, x, mean, variance, scale }, attrs: { epsilon }, backend }) => {
    const width = x.shape.at(-1)!;
    const size = sizeOf(x);
    const rows = size / width;
    const inverse = `inverseSqrt(variance[column] + ${decimal(epsilon)})`;
    const terms = {
      key: `normalization_${epsilon}`,
      variables: ['dy', 'x', 'mean', 'variance'],
      before: `let gradient = dy[at]; let normalized = (x[at] - mean[column]) * ${inverse};`,
      terms: ['gradient', 'gradient * normalized'],
    };
    const parts = sumColumnsInParts(backend, terms, [dy, x, mean, variance], rows, width);
    const ofOffset = joinParts(backend, 'first', parts, 'sum0');
    const ofScale = joinParts(backend, 'second', parts, 'sum1');
    release(backend, parts);
    const body = `
      let inverse = inverseSqrt(variance[channel] + TYPE(${decimal(epsilon)}));
      let normalized = (x[at] - mean[channel]) * inverse;
      let shift = (ofOffset[channel] + normalized * ofScale[channel]) / f32(uniforms.rows);
      value = (dy[at] - shift) * scale[channel] * inverse;`;
    const names = ['dy', 'x', 'mean', 'variance', 'scale', 'ofScale', 'ofOffset'];
    const vectors = names.map(() => true);
    const shader = elementwise(`normalize_gradient_${epsilon}`, names, vectors, size, width, body);
    const dx = runShader(
      backend,
      { ...shader, uniforms: { ...shader.uniforms, rows } },
      [dy, x, mean, variance, scale, ofScale, ofOffset],
      x.shape,
    );
    return [dx, ofScale, ofOffset];
  },
);

/** A number as WGSL reads it. */
function decimal(value: number): string {
  return value.toExponential();
}

/** Sum over all axes but the last: gradients of biases. */
const sum = defineGpuKernel<{ x: TensorInfo }, { axis: number | number[]; keepDims: boolean }>(
  'Sum',
  ({ inputs: { x }, attrs: { axis, keepDims }, backend }) => {
    const rank = x.shape.length;
    if (rank < 2 || x.dtype !== 'float32' || keepDims) return undefined;
    const axes = util.parseAxisParam(axis, [...x.shape]);
    const isLeading = axes.length === rank - 1 && !axes.includes(rank - 1);
    const width = x.shape[rank - 1];
    if (!isLeading || sizeOf(x) === 0) return undefined;
    return sumColumns(backend, x, width);
  },
);

/** ReluGrad, a kernel of our own: the gradient where the output is positive. */
const reluGradient = defineGpuKernel<{ dy: TensorInfo; y: TensorInfo }, object>(
  'ReluGrad',
  ({ inputs: { dy, y }, backend }) => {
    const size = sizeOf(dy);
    const body = 'value = select(TYPE(0.0), dy[at], y[at] > TYPE(0.0));';
    const shader = elementwise('relu_gradient', ['dy', 'y'], [true, true], size, dy.shape.at(-1) ?? 1, body);
    return runShader(backend, shader, [dy, y], dy.shape);
  },
);

/** Batch normalization in training, the sums of its gradients and of biases, and ReLU's gradient. */
export const GPU_NORMALIZATION_KERNELS: readonly KernelReplacement[] = [
  normalizeBatch,
  normalizeBatchGradient,
  sum,
  reluGradient,
];
