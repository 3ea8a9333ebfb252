import { backend_util, type TensorInfo } from '@tensorflow/tfjs-core';
import type { KernelReplacement } from '../../register-kernels.ts';
import { geometryOf2D, geometryOf3D, type PoolingGeometry } from '../convolution-geometry.ts';
import type { KernelModule } from '../kernel-module.ts';
import { defineKernel } from '../kernel-module.ts';

type Shape4 = [number, number, number, number];
type Shape5 = [number, number, number, number, number];

interface Attributes {
  filterSize: number | [number, number] | [number, number, number];
  strides: number | [number, number] | [number, number, number];
  pad: 'valid' | 'same' | number;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

function geometryFrom2D(shape: number[], attributes: Attributes): PoolingGeometry {
  const { filterSize, strides, pad, dimRoundingMode } = attributes;
  const size = filterSize as [number, number];
  const steps = strides as [number, number];
  return geometryOf2D(backend_util.computePool2DInfo(shape as Shape4, size, steps, 1, pad, dimRoundingMode));
}

function geometryFrom3D(shape: number[], attributes: Attributes): PoolingGeometry {
  const { filterSize, strides, pad, dimRoundingMode } = attributes;
  const size = filterSize as [number, number, number];
  const steps = strides as [number, number, number];
  return geometryOf3D(backend_util.computePool3DInfo(shape as Shape5, size, steps, 1, pad, dimRoundingMode));
}

/** Integers of `struct plan` of kernels/pooling.c. */
function planOf(g: PoolingGeometry, input: number, output: number): number[] {
  return [
    input,
    output,
    g.batch,
    g.inChannels,
    ...g.input,
    ...g.output,
    ...g.kernel,
    ...g.stride,
    ...g.dilation,
    ...g.padding,
  ];
}

function runPlan(kernels: KernelModule, plan: number[], body: (pointer: number) => void): void {
  kernels.scratch((allocate) => {
    const pointer = allocate(plan.length * 4);
    kernels.writeInts(pointer, plan);
    body(pointer);
  });
}

function gradientKernel(kernelName: string, geometryFrom: typeof geometryFrom2D): KernelReplacement {
  return defineKernel<{ dy: TensorInfo; input: TensorInfo; output: TensorInfo }, Attributes>(
    kernelName,
    ({ inputs: { dy, input, output }, attrs, kernels }) => {
      const dx = kernels.output(input.shape);
      const pool = planOf(geometryFrom(input.shape, attrs), kernels.pointer(input), kernels.pointer(dx));
      runPlan(kernels, [...pool, kernels.pointer(output), kernels.pointer(dy)], (pointer) =>
        kernels.functions.max_pool_gradient(pointer),
      );
      return dx;
    },
  );
}

/** MaxPool3D; the backend's own gives 0 for a window of negative values. */
const maxPool3D = defineKernel<{ x: TensorInfo }, Attributes>(
  'MaxPool3D',
  ({ inputs: { x }, attrs, kernels }) => {
    const geometry = geometryFrom3D(x.shape, attrs);
    const output = kernels.output([geometry.batch, ...geometry.output, geometry.inChannels]);
    runPlan(kernels, planOf(geometry, kernels.pointer(x), kernels.pointer(output)), (pointer) =>
      kernels.functions.max_pool(pointer),
    );
    return output;
  },
);

/** Max pooling: the gradients of the backend's own are wrong for strides above 1 and for windows of negative values. */
export const POOLING_KERNELS: readonly KernelReplacement[] = [
  maxPool3D,
  gradientKernel('MaxPoolGrad', geometryFrom2D),
  gradientKernel('MaxPool3DGrad', geometryFrom3D),
];
