import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import { release, runShader, sizeOf } from './webgpu-kernel.ts';

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
  const rows = sizeOf(x) / width;
  const terms = { key: 'sum', variables: ['x'], terms: ['x[at]'] };
  const parts = sumColumnsInParts(backend, terms, [x], rows, width);
  const sum = joinParts(backend, 'sum', parts, 'sum0');
  release(backend, parts);
  return sum;
}
