import { backend_util, type KernelBackend, type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { KernelReplacement } from '../register-kernels.ts';
import { type ConvolutionShape, filterGradientShader, gatherShader } from './convolution-shaders.ts';
import { sumColumns } from './sum-kernels.ts';
import { defineGpuKernel, release, runShader } from './webgpu-kernel.ts';

interface Attributes {
  strides: number | [number, number] | [number, number, number];
  pad: 'valid' | 'same' | number;
  dataFormat: string;
  dilations?: number | number[];
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/**
 * Multiplications below which a convolution stays TensorFlow.js': one thread per value is as fast there, and its pipelines serve all
 * shapes, where ours are compiled for each.
 */
const FEWEST_PRODUCTS = 2 ** 22;

function isLarge({ batch, output, kernel, channels, filters }: ConvolutionShape): boolean {
  return util.sizeFromShape([batch, ...output, ...kernel, channels, filters]) >= FEWEST_PRODUCTS;
}

/** Shape of a convolution, or undefined where ours does not apply. @param filter [k.., c, filters]. */
function shapeOf(
  input: readonly number[],
  filter: readonly number[],
  attributes: Attributes,
): ConvolutionShape | undefined {
  const shape = geometryOf(input, filter, attributes);
  return shape && isLarge(shape) ? shape : undefined;
}

function geometryOf(
  input: readonly number[],
  filter: readonly number[],
  { strides, pad, dataFormat, dilations = 1, dimRoundingMode }: Attributes,
): ConvolutionShape | undefined {
  const isPlain =
    (dataFormat === 'NHWC' || dataFormat === 'NDHWC') && [dilations].flat().every((rate) => rate === 1);
  if (!isPlain) return undefined;
  if (filter.length === 4) {
    const info = backend_util.computeConv2DInfo(
      input as [number, number, number, number],
      filter as [number, number, number, number],
      strides as [number, number],
      1,
      pad,
      dimRoundingMode,
    );
    return {
      batch: info.batchSize,
      input: [1, info.inHeight, info.inWidth],
      output: [1, info.outHeight, info.outWidth],
      kernel: [1, info.filterHeight, info.filterWidth],
      stride: [1, info.strideHeight, info.strideWidth],
      pad: [0, info.padInfo.top, info.padInfo.left],
      channels: info.inChannels,
      filters: info.outChannels,
    };
  }
  const info = backend_util.computeConv3DInfo(
    input as [number, number, number, number, number],
    filter as [number, number, number, number, number],
    strides as [number, number, number],
    1,
    pad as 'valid' | 'same',
  );
  return {
    batch: info.batchSize,
    input: [info.inDepth, info.inHeight, info.inWidth],
    output: [info.outDepth, info.outHeight, info.outWidth],
    kernel: [info.filterDepth, info.filterHeight, info.filterWidth],
    stride: [info.strideDepth, info.strideHeight, info.strideWidth],
    pad: [info.padInfo.front, info.padInfo.top, info.padInfo.left],
    channels: info.inChannels,
    filters: info.outChannels,
  };
}

function outputShape(input: readonly number[], { batch, output, filters }: ConvolutionShape): number[] {
  return [batch, ...output.slice(5 - input.length), filters];
}

function forward(
  backend: KernelBackend,
  x: TensorInfo,
  filter: TensorInfo,
  shape: ConvolutionShape,
  bias?: TensorInfo,
): TensorInfo {
  const shader = gatherShader(shape, 'forward', bias !== undefined);
  const inputs = bias === undefined ? [x, filter] : [x, filter, bias];
  return runShader(backend, shader, inputs, outputShape(x.shape, shape));
}

function filterGradient(
  backend: KernelBackend,
  x: TensorInfo,
  dy: TensorInfo,
  filterShape: number[],
  shape: ConvolutionShape,
): TensorInfo {
  const { shader, parts } = filterGradientShader(shape);
  const size = util.sizeFromShape(filterShape);
  const split = runShader(backend, shader, [x, dy], [parts, size]);
  const sum = parts === 1 ? split : sumColumns(backend, split, size);
  if (sum !== split) release(backend, split);
  return { ...sum, shape: filterShape };
}

const isFloat = (...tensors: (TensorInfo | undefined)[]): boolean =>
  tensors.every((tensor) => tensor === undefined || tensor.dtype === 'float32');

function forwardKernel(kernelName: 'Conv2D' | 'Conv3D'): KernelReplacement {
  return defineGpuKernel<{ x: TensorInfo; filter: TensorInfo }, Attributes>(
    kernelName,
    ({ inputs: { x, filter }, attrs, backend }) => {
      const shape = shapeOf(x.shape, filter.shape, attrs);
      return shape && isFloat(x, filter) ? forward(backend, x, filter, shape) : undefined;
    },
  );
}

const fused = defineGpuKernel<
  { x: TensorInfo; filter: TensorInfo; bias?: TensorInfo; preluActivationWeights?: TensorInfo },
  Attributes & { activation?: string }
>('FusedConv2D', ({ inputs: { x, filter, bias, preluActivationWeights }, attrs, backend }) => {
  const isLinear = attrs.activation === undefined || attrs.activation === 'linear';
  const shape = isLinear && !preluActivationWeights ? shapeOf(x.shape, filter.shape, attrs) : undefined;
  if (shape === undefined || !isFloat(x, filter, bias)) return undefined;
  if (bias !== undefined && (bias.shape.length !== 1 || bias.shape[0] !== shape.filters)) return undefined;
  return forward(backend, x, filter, shape, bias);
});

function inputGradientKernel(kernelName: 'Conv2DBackpropInput' | 'Conv3DBackpropInputV2'): KernelReplacement {
  return defineGpuKernel<{ dy: TensorInfo; filter: TensorInfo }, Attributes & { inputShape: number[] }>(
    kernelName,
    ({ inputs: { dy, filter }, attrs: { dataFormat = 'NDHWC', inputShape, ...attrs }, backend }) => {
      const shape = shapeOf(inputShape, filter.shape, { ...attrs, dataFormat });
      if (shape === undefined || !isFloat(dy, filter)) return undefined;
      return runShader(backend, gatherShader(shape, 'input gradient', false), [dy, filter], inputShape);
    },
  );
}

function filterGradientKernel(
  kernelName: 'Conv2DBackpropFilter' | 'Conv3DBackpropFilterV2',
): KernelReplacement {
  return defineGpuKernel<{ x: TensorInfo; dy: TensorInfo }, Attributes & { filterShape: number[] }>(
    kernelName,
    ({ inputs: { x, dy }, attrs: { dataFormat = 'NDHWC', filterShape, ...attrs }, backend }) => {
      const shape = shapeOf(x.shape, filterShape, { ...attrs, dataFormat });
      return shape && isFloat(x, dy) ? filterGradient(backend, x, dy, filterShape, shape) : undefined;
    },
  );
}

/** 2D and 3D convolutions with their gradients. */
export const GPU_CONVOLUTION_KERNELS: readonly KernelReplacement[] = [
  forwardKernel('Conv2D'),
  forwardKernel('Conv3D'),
  fused,
  inputGradientKernel('Conv2DBackpropInput'),
  inputGradientKernel('Conv3DBackpropInputV2'),
  filterGradientKernel('Conv2DBackpropFilter'),
  filterGradientKernel('Conv3DBackpropFilterV2'),
];
