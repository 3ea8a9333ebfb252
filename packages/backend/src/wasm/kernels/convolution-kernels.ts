import { backend_util, type KernelConfig, type KernelFunc, type TensorInfo } from '@tensorflow/tfjs-core';
import { type ConvolutionGeometry, geometryOf2D, geometryOf3D } from '../convolution-geometry.ts';
import { convolve, convolveInputGradient } from '../convolve.ts';
import { convolveFilterGradient } from '../filter-gradient.ts';
import { kernelModuleOf } from '../kernel-module.ts';

type Shape4 = [number, number, number, number];
type Shape5 = [number, number, number, number, number];

interface Attributes2D {
  strides: [number, number] | number;
  pad: 'same' | 'valid' | number | [[number, number], [number, number], [number, number], [number, number]];
  dataFormat: string;
  dilations?: [number, number] | number;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

interface Attributes3D {
  strides: [number, number, number] | number;
  pad: 'same' | 'valid';
  dataFormat?: string;
  dilations?: [number, number, number] | number;
}

function requireChannelsLast(kernel: string, dataFormat: string | undefined): void {
  if (dataFormat !== undefined && dataFormat !== 'NHWC' && dataFormat !== 'NDHWC') {
    throw new Error(`${kernel}: the wasm backend takes channels last, got ${dataFormat} (transpose first)`);
  }
}

/** Sizes of a 2D convolution from the shapes and attributes of its kernel call. */
export function geometryFrom2D(
  kernel: string,
  inputShape: number[],
  filterShape: number[],
  attributes: Attributes2D,
): ConvolutionGeometry {
  requireChannelsLast(kernel, attributes.dataFormat);
  return geometryOf2D(
    backend_util.computeConv2DInfo(
      inputShape as Shape4,
      filterShape as Shape4,
      attributes.strides,
      attributes.dilations ?? 1,
      attributes.pad,
      attributes.dimRoundingMode,
    ),
  );
}

function geometryFrom3D(
  kernel: string,
  inputShape: number[],
  filterShape: number[],
  attributes: Attributes3D,
): ConvolutionGeometry {
  requireChannelsLast(kernel, attributes.dataFormat);
  return geometryOf3D(
    backend_util.computeConv3DInfo(
      inputShape as Shape5,
      filterShape as Shape5,
      attributes.strides,
      attributes.dilations ?? 1,
      attributes.pad,
    ),
  );
}

type Run = typeof convolve;

function runOn(
  backend: unknown,
  run: Run,
  geometry: ConvolutionGeometry,
  first: TensorInfo,
  second: TensorInfo,
  shape: number[],
): TensorInfo {
  const kernels = kernelModuleOf(backend);
  const output = kernels.output(shape);
  run(kernels, geometry, kernels.pointer(first), kernels.pointer(second), kernels.pointer(output));
  return output;
}

const config = (kernelName: string, kernelFunc: unknown): KernelConfig => ({
  kernelName,
  backendName: 'wasm',
  kernelFunc: kernelFunc as KernelFunc,
});

interface Call<Inputs, Attributes> {
  inputs: Inputs;
  backend: unknown;
  attrs: Attributes;
}

/** Conv2D; the backend's own is slower, and wrong for 'same' padding with a kernel smaller than its stride. */
export const conv2D: KernelConfig = config(
  'Conv2D',
  ({ inputs: { x, filter }, backend, attrs }: Call<{ x: TensorInfo; filter: TensorInfo }, Attributes2D>) => {
    const geometry = geometryFrom2D('Conv2D', x.shape, filter.shape, attrs);
    const shape = [geometry.batch, geometry.output[1], geometry.output[2], geometry.outChannels];
    return runOn(backend, convolve, geometry, x, filter, shape);
  },
);

/** Conv2DBackpropFilter, which the wasm backend lacks. */
export const conv2DBackpropFilter: KernelConfig = config(
  'Conv2DBackpropFilter',
  ({
    inputs: { x, dy },
    backend,
    attrs,
  }: Call<{ x: TensorInfo; dy: TensorInfo }, Attributes2D & { filterShape: Shape4 }>) => {
    const geometry = geometryFrom2D('Conv2DBackpropFilter', x.shape, attrs.filterShape, attrs);
    return runOn(backend, convolveFilterGradient, geometry, x, dy, attrs.filterShape);
  },
);

/** Conv2DBackpropInput, faster than the backend's own. */
export const conv2DBackpropInput: KernelConfig = config(
  'Conv2DBackpropInput',
  ({
    inputs: { dy, filter },
    backend,
    attrs,
  }: Call<{ dy: TensorInfo; filter: TensorInfo }, Attributes2D & { inputShape: Shape4 }>) => {
    const geometry = geometryFrom2D('Conv2DBackpropInput', attrs.inputShape, filter.shape, attrs);
    return runOn(backend, convolveInputGradient, geometry, dy, filter, attrs.inputShape);
  },
);

/** Conv3D, faster than the backend's own. */
export const conv3D: KernelConfig = config(
  'Conv3D',
  ({ inputs: { x, filter }, backend, attrs }: Call<{ x: TensorInfo; filter: TensorInfo }, Attributes3D>) => {
    const geometry = geometryFrom3D('Conv3D', x.shape, filter.shape, attrs);
    const shape = [geometry.batch, ...geometry.output, geometry.outChannels];
    return runOn(backend, convolve, geometry, x, filter, shape);
  },
);

/** Conv3DBackpropFilterV2; the backend's own is wrong for strides above 1. */
export const conv3DBackpropFilter: KernelConfig = config(
  'Conv3DBackpropFilterV2',
  ({
    inputs: { x, dy },
    backend,
    attrs,
  }: Call<{ x: TensorInfo; dy: TensorInfo }, Attributes3D & { filterShape: Shape5 }>) => {
    const geometry = geometryFrom3D('Conv3DBackpropFilterV2', x.shape, attrs.filterShape, attrs);
    return runOn(backend, convolveFilterGradient, geometry, x, dy, attrs.filterShape);
  },
);

/** Conv3DBackpropInputV2; the backend's own is wrong in nearly every case. */
export const conv3DBackpropInput: KernelConfig = config(
  'Conv3DBackpropInputV2',
  ({
    inputs: { dy, filter },
    backend,
    attrs,
  }: Call<{ dy: TensorInfo; filter: TensorInfo }, Attributes3D & { inputShape: Shape5 }>) => {
    const geometry = geometryFrom3D('Conv3DBackpropInputV2', attrs.inputShape, filter.shape, attrs);
    return runOn(backend, convolveInputGradient, geometry, dy, filter, attrs.inputShape);
  },
);
