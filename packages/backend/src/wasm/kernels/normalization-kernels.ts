import { type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { KernelReplacement } from '../../register-kernels.ts';
import type { KernelModule } from '../kernel-module.ts';
import { defineKernel } from '../kernel-module.ts';

interface Given {
  x: TensorInfo;
  mean: TensorInfo;
  variance: TensorInfo;
  offset?: TensorInfo;
  scale?: TensorInfo;
}

/** Writes x * factor + shift per channel, where factor and shift come from statistics, scale and offset. */
function normalize(
  kernels: KernelModule,
  x: TensorInfo,
  statistics: { mean: number; variance: number; scale: number; offset: number },
  epsilon: number,
): TensorInfo {
  const width = x.shape[x.shape.length - 1];
  const output = kernels.output(x.shape);
  kernels.scratch((allocate) => {
    const factor = allocate(width * 4);
    const shift = allocate(width * 4);
    const { mean, variance, scale, offset } = statistics;
    kernels.functions.fold_normalization(mean, variance, scale, offset, factor, shift, width, epsilon);
    const rows = util.sizeFromShape(x.shape) / width;
    kernels.functions.scale_rows(kernels.pointer(x), factor, shift, kernels.pointer(output), rows, width);
  });
  return output;
}

/** FusedBatchNorm with statistics of one value per channel, faster than the backend's own. */
const fusedBatchNorm = defineKernel<Given, { varianceEpsilon: number }>(
  'FusedBatchNorm',
  ({ inputs: { x, mean, variance, offset, scale }, attrs, kernels }) => {
    const width = x.shape[x.shape.length - 1];
    const parts = [mean, variance, scale, offset];
    if (x.dtype !== 'float32' || util.sizeFromShape(x.shape) === 0) return undefined;
    if (!parts.every((part) => part && part.shape.length === 1 && part.shape[0] === width)) return undefined;
    const [m, v, s, o] = parts.map((part) => kernels.pointer(part!));
    return normalize(kernels, x, { mean: m, variance: v, scale: s, offset: o }, attrs.varianceEpsilon);
  },
);

/** NormalizeBatch, a kernel of our own: [output, mean, variance] of batch normalization in training. */
const normalizeBatch = defineKernel<
  { x: TensorInfo; scale: TensorInfo; offset: TensorInfo },
  { epsilon: number }
>('NormalizeBatch', ({ inputs: { x, scale, offset }, attrs: { epsilon }, kernels }) => {
  const width = x.shape[x.shape.length - 1];
  const mean = kernels.output([width]);
  const variance = kernels.output([width]);
  const [m, v] = [kernels.pointer(mean), kernels.pointer(variance)];
  kernels.functions.moments(kernels.pointer(x), util.sizeFromShape(x.shape) / width, width, m, v);
  const given = { mean: m, variance: v, scale: kernels.pointer(scale), offset: kernels.pointer(offset) };
  return [normalize(kernels, x, given, epsilon), mean, variance];
});

/** NormalizeBatchGradient, a kernel of our own: gradients with respect to x, scale and offset. */
const normalizeBatchGradient = defineKernel<
  { dy: TensorInfo; x: TensorInfo; mean: TensorInfo; variance: TensorInfo; scale: TensorInfo },
  { epsilon: number }
>('NormalizeBatchGradient', ({ inputs, attrs: { epsilon }, kernels }) => {
  const { dy, x, mean, variance, scale } = inputs;
  const width = x.shape[x.shape.length - 1];
  const outputs = [kernels.output(x.shape), kernels.output([width]), kernels.output([width])];
  const pointers = [dy, x, mean, variance, scale, ...outputs].map((tensor) => kernels.pointer(tensor));
  kernels.scratch((allocate) => {
    const rows = util.sizeFromShape(x.shape) / width;
    kernels.functions.normalization_gradient(...pointers, rows, width, epsilon, allocate(width * 12));
  });
  return outputs;
});

/** Gradient of a rectifier from its output y, kernels of our own: ReluGrad, and LeakyReluGrad with the slope below 0. */
const rectifierGradient = (kernelName: 'ReluGrad' | 'LeakyReluGrad'): KernelReplacement =>
  defineKernel<{ dy: TensorInfo; y: TensorInfo }, { alpha: number } | undefined>(
    kernelName,
    ({ inputs: { dy, y }, attrs, kernels }) => {
      const dx = kernels.output(dy.shape);
      const [from, output, to] = [dy, y, dx].map((tensor) => kernels.pointer(tensor));
      kernels.functions.rectifier_gradient(from, output, to, util.sizeFromShape(dy.shape), attrs?.alpha ?? 0);
      return dx;
    },
  );

/** Batch normalization with given statistics, and in training; gradients of the rectifiers that follow it. */
export const NORMALIZATION_KERNELS: readonly KernelReplacement[] = [
  fusedBatchNorm,
  normalizeBatch,
  normalizeBatchGradient,
  rectifierGradient('ReluGrad'),
  rectifierGradient('LeakyReluGrad'),
];
