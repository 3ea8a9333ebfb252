import { broadcast_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { KernelReplacement } from '../../register-kernels.ts';
import type { ConvolutionGeometry } from '../convolution-geometry.ts';
import { convolveFilterGradient, type Epilogue, runPass } from '../convolve.ts';
import type { KernelModule } from '../kernel-module.ts';
import { defineKernel, type KernelCall } from '../kernel-module.ts';

interface Attributes {
  transposeA: boolean;
  transposeB: boolean;
  activation?: string;
  leakyreluAlpha?: number;
}

interface Inputs {
  a: TensorInfo;
  b: TensorInfo;
  bias?: TensorInfo;
}

/** One product [rows, depth] x [depth, columns]; pointers as byte offsets. */
interface Product {
  a: number;
  b: number;
  output: number;
  rows: number;
  depth: number;
  columns: number;
  transposeA: boolean;
  transposeB: boolean;
  epilogue: Epilogue | undefined;
}

/** a [depth, rows], b [depth, columns]: a filter gradient with one tap, whose pixels are the rows of both. */
function multiplyTransposed(kernels: KernelModule, p: Product): void {
  const one = [1, 1, 1] as const;
  const geometry: ConvolutionGeometry = {
    batch: 1,
    input: [1, 1, p.depth],
    inChannels: p.rows,
    output: [1, 1, p.depth],
    outChannels: p.columns,
    kernel: one,
    stride: one,
    dilation: one,
    padding: [0, 0, 0],
  };
  convolveFilterGradient(kernels, geometry, p.a, p.b, p.output);
}

/** a [rows, depth], b [depth, columns] or transposed: a convolution with one tap, whose pixels are the rows of a. */
function multiply(kernels: KernelModule, p: Product): void {
  kernels.scratch((allocate) =>
    runPass(kernels, allocate, {
      input: { pointer: p.a, size: [1, 1, p.rows] },
      inputStart: 0,
      weights: p.b,
      weightStart: 0,
      kernel: [1, 1, 1],
      weightStrides: [0, 0, 0],
      channelStride: p.transposeB ? 1 : p.columns,
      columnStride: p.transposeB ? p.depth : 1,
      channels: p.depth,
      columns: p.columns,
      dilation: [1, 1, 1],
      batch: 1,
      size: [1, 1, p.rows],
      step: [1, 1, 1],
      output: p.output,
      outputStart: 0,
      outputStrides: [0, 0, 0, p.columns],
      epilogue: p.epilogue,
    }),
  );
}

function run(kernels: KernelModule, p: Product): void {
  const { a, b, output, depth, columns } = p;
  if (p.rows === 1 && p.epilogue === undefined) {
    if (p.transposeB) kernels.functions.row_times_transposed(a, b, output, depth, columns);
    else kernels.functions.row_times_matrix(a, b, output, depth, columns);
  } else if (p.transposeA && p.rows > 1) {
    multiplyTransposed(kernels, p);
  } else {
    multiply(kernels, p);
  }
}

/** Products of batches of matrices; both transposed, rare activations and other types stay with the backend's own. */
function product({
  inputs: { a, b, bias },
  attrs,
  kernels,
}: KernelCall<Inputs, Attributes>): TensorInfo | undefined {
  const { transposeA, transposeB, activation, leakyreluAlpha } = attrs;
  if (a.dtype !== 'float32' || b.dtype !== 'float32') return undefined;
  const isFused = bias !== undefined && bias !== null ? true : (activation ?? 'linear') !== 'linear';
  const [rows, depth] = transposeA ? a.shape.slice(-2).reverse() : a.shape.slice(-2);
  const [inner, columns] = transposeB ? b.shape.slice(-2).reverse() : b.shape.slice(-2);
  if (depth !== inner || (transposeA && (transposeB || isFused) && rows > 1)) return undefined;
  if (!['linear', 'relu', 'relu6', 'leakyrelu'].includes(activation ?? 'linear')) return undefined;
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== columns)) return undefined;
  const countA = util.sizeFromShape(a.shape.slice(0, -2));
  const countB = util.sizeFromShape(b.shape.slice(0, -2));
  const outer = broadcast_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const count = util.sizeFromShape(outer);
  const isPlain = (other: number): boolean => other === count || other === 1;
  if (!isPlain(countA) || !isPlain(countB) || rows * depth * columns === 0) return undefined;
  const output = kernels.output([...outer, rows, columns]);
  const epilogue: Epilogue | undefined = isFused
    ? {
        bias: bias ? kernels.pointer(bias) : undefined,
        activation: (activation ?? 'linear') as Epilogue['activation'],
        slope: leakyreluAlpha,
      }
    : undefined;
  const [startA, startB, start] = [a, b, output].map((tensor) => kernels.pointer(tensor));
  for (let i = 0; i < count; i++) {
    run(kernels, {
      a: startA + (countA === 1 ? 0 : i) * rows * depth * 4,
      b: startB + (countB === 1 ? 0 : i) * depth * columns * 4,
      output: start + i * rows * columns * 4,
      rows,
      depth,
      columns,
      transposeA,
      transposeB,
      epilogue,
    });
  }
  return output;
}

/** Matrix products, faster than the backend's own above all for single rows and transposed factors. */
export const MATRIX_KERNELS: readonly KernelReplacement[] = [
  defineKernel<Inputs, Attributes>('BatchMatMul', product),
  defineKernel<Inputs, Attributes>('_FusedMatMul', product),
];
