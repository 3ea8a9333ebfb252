import { type KernelBackend, type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { KernelReplacement } from '../register-kernels.ts';
import { defineGpuKernel, elementwise, release, runShader } from './webgpu-kernel.ts';

/** Rows that one workgroup adds up at least; fewer are not worth a second pass. */
const FEWEST_ROWS = 64;
const MOST_PARTS = 256;
const THREADS = 256;

/** Terms that are summed over the rows of a matrix, each an expression of `row`, `column` and `at` (row * width + column). */
export interface ColumnTerms {
  readonly key: string;
  readonly variables: readonly string[];
  /** Statements before the terms, per element. */
  readonly before?: string;
  readonly terms: readonly string[];
}

/**
 * Sums of terms over rows, in parts: [parts, terms, width]. Neighbouring threads read neighbouring columns, so that every read of
 * a row is one piece.
 */
export function sumColumnsInParts(
  backend: KernelBackend,
  { key, variables, before = '', terms }: ColumnTerms,
  inputs: readonly TensorInfo[],
  rows: number,
  width: number,
): TensorInfo {
  const parts = Math.max(1, Math.min(MOST_PARTS, Math.ceil(rows / FEWEST_ROWS)));
  const columns = Math.min(width, THREADS);
  const lanes = Math.floor(THREADS / columns);
  const indices = terms.map((_, i) => i);
  return runShader(
    backend,
    {
      key: `columns_${key}_${width}`,
      variables,
      uniforms: { rows, share: Math.ceil(rows / parts) },
      workgroupSize: THREADS,
      workgroups: [parts, Math.ceil(width / columns), 1],
      code: `
        var<workgroup> shared_sums : array<f32, ${THREADS * terms.length}>;
        fn main(index : i32) {
          let thread = i32(localIndex);
          let lane = thread / ${columns};
          let column = i32(workgroupId.y) * ${columns} + thread % ${columns};
          let first = i32(workgroupId.x) * uniforms.share;
          let last = min(first + uniforms.share, uniforms.rows);
          ${indices.map((i) => `var sum${i} = 0.0;`).join(' ')}
          if (lane < ${lanes} && column < ${width}) {
            for (var row = first + lane; row < last; row += ${lanes}) {
              let at = row * ${width} + column;
              ${before}
              ${terms.map((term, i) => `sum${i} += ${term};`).join(' ')}
            }
          }
          ${indices.map((i) => `shared_sums[${i * THREADS} + thread] = sum${i};`).join(' ')}
          workgroupBarrier();
          if (lane == 0 && column < ${width}) {
            for (var other = 1; other < ${lanes}; other++) {
              ${indices.map((i) => `sum${i} += shared_sums[${i * THREADS} + thread + other * ${columns}];`).join(' ')}
            }
            let to = i32(workgroupId.x) * ${terms.length * width} + column;
            ${indices.map((i) => `result[to + ${i * width}] = sum${i};`).join(' ')}
          }
        }`,
    },
    inputs,
    [parts, terms.length, width],
  );
}

/**
 * Joins the parts of `sumColumnsInParts` to one value per column.
 * @param value expression of `sum0`, `sum1`, ... and `column`. @param more further inputs of the expression.
 */
export function joinParts(
  backend: KernelBackend,
  key: string,
  parts: TensorInfo,
  value: string,
  more: Readonly<Record<string, TensorInfo>> = {},
  uniforms: Readonly<Record<string, number>> = {},
): TensorInfo {
  const [count, terms, width] = parts.shape;
  const used = Array.from({ length: terms }, (_, i) => i).filter((i) => value.includes(`sum${i}`));
  return runShader(
    backend,
    {
      key: `parts_${key}_${terms}_${width}`,
      variables: ['parts', ...Object.keys(more)],
      uniforms: { count, ...uniforms },
      workgroupSize: 64,
      workgroups: [Math.ceil(width / 64), 1, 1],
      code: `
        fn main(index : i32) {
          let column = i32(workgroupId.x * 64u + localIndex);
          if (column >= ${width}) { return; }
          ${used.map((i) => `var sum${i} = 0.0;`).join(' ')}
          for (var part = 0; part < uniforms.count; part++) {
            ${used.map((i) => `sum${i} += parts[part * ${terms * width} + ${i * width} + column];`).join(' ')}
          }
          result[column] = ${value};
        }`,
    },
    [parts, ...Object.values(more)],
    [width],
  );
}

/** Sum over all rows: [rows, width] -> [width]. */
export function sumColumns(backend: KernelBackend, x: TensorInfo, width: number): TensorInfo {
  const rows = util.sizeFromShape(x.shape) / width;
  const terms = { key: 'sum', variables: ['x'], terms: ['x[at]'] };
  const parts = sumColumnsInParts(backend, terms, [x], rows, width);
  const sum = joinParts(backend, 'sum', parts, 'sum0');
  release(backend, parts);
  return sum;
}

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
    const size = util.sizeFromShape(x.shape);
    const [mean, variance] = statisticsOf(backend, x, size / width, width);
    const output = runShader(
      backend,
      elementwise(
        `normalize_${epsilon}`,
        ['x', 'mean', 'variance', 'scale', 'offset'],
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
    const size = util.sizeFromShape(x.shape);
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
    const shader = elementwise(`normalize_gradient_${epsilon}`, names, size, width, body);
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
    if (!isLeading || util.sizeFromShape(x.shape) === 0) return undefined;
    return sumColumns(backend, x, width);
  },
);

/** ReluGrad, a kernel of our own: the gradient where the output is positive. */
const reluGradient = defineGpuKernel<{ dy: TensorInfo; y: TensorInfo }, object>(
  'ReluGrad',
  ({ inputs: { dy, y }, backend }) => {
    const size = util.sizeFromShape(dy.shape);
    const body = 'value = select(TYPE(0.0), dy[at], y[at] > TYPE(0.0));';
    const shader = elementwise('relu_gradient', ['dy', 'y'], size, dy.shape.at(-1) ?? 1, body);
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
