import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelReplacement } from '../../register-kernels.ts';
import { type ConvolutionGeometry, geometryOf2D, geometryOf3D } from '../convolution-geometry.ts';
import {
  type Activation,
  convolve,
  convolveFilterGradient,
  convolveInputGradient,
  type Epilogue,
} from '../convolve.ts';
import type { KernelModule } from '../kernel-module.ts';
import { defineKernel } from '../kernel-module.ts';

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

interface Convolved {
  x: TensorInfo;
  filter: TensorInfo;
}

function requireChannelsLast(kernel: string, dataFormat: string | undefined): void {
  if (dataFormat !== undefined && dataFormat !== 'NHWC' && dataFormat !== 'NDHWC') {
    throw new Error(`${kernel}: the wasm backend takes channels last, got ${dataFormat} (transpose first)`);
  }
}

function geometryFrom2D(
  kernel: string,
  inputShape: number[],
  filterShape: number[],
  { strides, dilations, pad, dataFormat, dimRoundingMode }: Attributes2D,
): ConvolutionGeometry {
  requireChannelsLast(kernel, dataFormat);
  const shape = inputShape as Shape4;
  const filter = filterShape as Shape4;
  return geometryOf2D(
    backend_util.computeConv2DInfo(shape, filter, strides, dilations ?? 1, pad, dimRoundingMode),
  );
}

function geometryFrom3D(
  kernel: string,
  inputShape: number[],
  filterShape: number[],
  { strides, dilations, pad, dataFormat }: Attributes3D,
): ConvolutionGeometry {
  requireChannelsLast(kernel, dataFormat);
  const shape = inputShape as Shape5;
  return geometryOf3D(
    backend_util.computeConv3DInfo(shape, filterShape as Shape5, strides, dilations ?? 1, pad),
  );
}

function runOn(
  kernels: KernelModule,
  run: typeof convolve,
  geometry: ConvolutionGeometry,
  first: TensorInfo,
  second: TensorInfo,
  shape: number[],
  epilogue?: Epilogue,
): TensorInfo {
  const output = kernels.output(shape);
  run(kernels, geometry, kernels.pointer(first), kernels.pointer(second), kernels.pointer(output), epilogue);
  return output;
}

const shapeOf2D = (g: ConvolutionGeometry): number[] => [g.batch, g.output[1], g.output[2], g.outChannels];

/**
 * Whether the backend's own Conv2D is the better one: it is slower on one thread, but shares its work among several. It is
 * wrong for 'same' padding with a kernel smaller than its stride.
 */
function isBetterLeft({ threads }: KernelModule, { kernel, stride }: ConvolutionGeometry): boolean {
  return threads > 2 && kernel.every((taps, axis) => taps >= stride[axis]);
}

/** Conv2D, unless the backend's own is better. */
const conv2D = defineKernel<Convolved, Attributes2D>(
  'Conv2D',
  ({ inputs: { x, filter }, attrs, kernels }) => {
    const geometry = geometryFrom2D('Conv2D', x.shape, filter.shape, attrs);
    if (isBetterLeft(kernels, geometry)) return undefined;
    return runOn(kernels, convolve, geometry, x, filter, shapeOf2D(geometry));
  },
);

/** FusedConv2D, as Conv2D; rarer activations stay with the backend's own. */
const fusedConv2D = defineKernel<
  Convolved & { bias?: TensorInfo },
  Attributes2D & { activation: string; leakyreluAlpha?: number }
>('FusedConv2D', ({ inputs: { x, filter, bias }, attrs, kernels }) => {
  const { activation, leakyreluAlpha } = attrs;
  if (
    activation !== 'linear' &&
    activation !== 'relu' &&
    activation !== 'relu6' &&
    activation !== 'leakyrelu'
  ) {
    return undefined;
  }
  const geometry = geometryFrom2D('FusedConv2D', x.shape, filter.shape, attrs);
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== geometry.outChannels)) return undefined;
  if (isBetterLeft(kernels, geometry)) return undefined;
  return runOn(kernels, convolve, geometry, x, filter, shapeOf2D(geometry), {
    bias: bias ? kernels.pointer(bias) : undefined,
    activation,
    slope: leakyreluAlpha,
  });
});

/** Conv2DBackpropFilter, which the wasm backend lacks. */
const conv2DBackpropFilter = defineKernel<
  { x: TensorInfo; dy: TensorInfo },
  Attributes2D & { filterShape: Shape4 }
>('Conv2DBackpropFilter', ({ inputs: { x, dy }, attrs, kernels }) => {
  const geometry = geometryFrom2D('Conv2DBackpropFilter', x.shape, attrs.filterShape, attrs);
  return runOn(kernels, convolveFilterGradient, geometry, x, dy, attrs.filterShape);
});

/** Conv2DBackpropInput, faster than the backend's own. */
const conv2DBackpropInput = defineKernel<
  { dy: TensorInfo; filter: TensorInfo },
  Attributes2D & { inputShape: Shape4 }
>('Conv2DBackpropInput', ({ inputs: { dy, filter }, attrs, kernels }) => {
  const geometry = geometryFrom2D('Conv2DBackpropInput', attrs.inputShape, filter.shape, attrs);
  return runOn(kernels, convolveInputGradient, geometry, dy, filter, attrs.inputShape);
});

/** Conv3D, faster than the backend's own. */
const conv3D = defineKernel<Convolved, Attributes3D>(
  'Conv3D',
  ({ inputs: { x, filter }, attrs, kernels }) => {
    const geometry = geometryFrom3D('Conv3D', x.shape, filter.shape, attrs);
    const shape = [geometry.batch, ...geometry.output, geometry.outChannels];
    return runOn(kernels, convolve, geometry, x, filter, shape);
  },
);

/** FusedConv3D, a kernel of our own: Conv3D, then a bias [outChannels], then an activation, as FusedConv2D. */
const fusedConv3D = defineKernel<
  Convolved & { bias?: TensorInfo },
  Attributes3D & { activation: Activation; leakyreluAlpha?: number }
>('FusedConv3D', ({ inputs: { x, filter, bias }, attrs, kernels }) => {
  const geometry = geometryFrom3D('FusedConv3D', x.shape, filter.shape, attrs);
  const shape = [geometry.batch, ...geometry.output, geometry.outChannels];
  return runOn(kernels, convolve, geometry, x, filter, shape, {
    bias: bias && kernels.pointer(bias),
    activation: attrs.activation,
    slope: attrs.leakyreluAlpha,
  });
});

/** Conv3DBackpropFilterV2; the backend's own is wrong for strides above 1. */
const conv3DBackpropFilter = defineKernel<
  { x: TensorInfo; dy: TensorInfo },
  Attributes3D & { filterShape: Shape5 }
>('Conv3DBackpropFilterV2', ({ inputs: { x, dy }, attrs, kernels }) => {
  const geometry = geometryFrom3D('Conv3DBackpropFilterV2', x.shape, attrs.filterShape, attrs);
  return runOn(kernels, convolveFilterGradient, geometry, x, dy, attrs.filterShape);
});

/** Conv3DBackpropInputV2; the backend's own is wrong in nearly every case. */
const conv3DBackpropInput = defineKernel<
  { dy: TensorInfo; filter: TensorInfo },
  Attributes3D & { inputShape: Shape5 }
>('Conv3DBackpropInputV2', ({ inputs: { dy, filter }, attrs, kernels }) => {
  const geometry = geometryFrom3D('Conv3DBackpropInputV2', attrs.inputShape, filter.shape, attrs);
  return runOn(kernels, convolveInputGradient, geometry, dy, filter, attrs.inputShape);
});

/** Told by programs that the values of a tensor stay: its packed forms are then kept until it is released. */
const retainWeights = defineKernel<{ weights: TensorInfo }, { isRetained: boolean }>(
  'RetainWeights',
  ({ inputs: { weights }, attrs: { isRetained }, kernels }) => {
    if (isRetained) kernels.retain(weights);
    else kernels.release(weights);
    return [];
  },
);

/** Two- and three-dimensional convolutions and their gradients. */
export const CONVOLUTION_KERNELS: readonly KernelReplacement[] = [
  conv2D,
  fusedConv2D,
  conv2DBackpropFilter,
  conv2DBackpropInput,
  conv3D,
  fusedConv3D,
  conv3DBackpropFilter,
  conv3DBackpropInput,
  retainWeights,
];
