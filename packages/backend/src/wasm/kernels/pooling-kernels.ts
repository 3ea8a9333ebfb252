import { backend_util, type KernelConfig, type KernelFunc, type TensorInfo } from '@tensorflow/tfjs-core';
import { geometryOf2D, geometryOf3D, type PoolingGeometry } from '../convolution-geometry.ts';
import { type KernelModule, kernelModuleOf } from '../kernel-module.ts';

type Shape4 = [number, number, number, number];
type Shape5 = [number, number, number, number, number];

interface Attributes {
  filterSize: number | [number, number] | [number, number, number];
  strides: number | [number, number] | [number, number, number];
  pad: 'valid' | 'same' | number;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

type Call<Inputs> = { inputs: Inputs; backend: unknown; attrs: Attributes };

function geometryFrom2D(
  shape: number[],
  { filterSize, strides, pad, dimRoundingMode }: Attributes,
): PoolingGeometry {
  const size = filterSize as [number, number];
  const info = backend_util.computePool2DInfo(
    shape as Shape4,
    size,
    strides as [number, number],
    1,
    pad,
    dimRoundingMode,
  );
  return geometryOf2D(info);
}

function geometryFrom3D(
  shape: number[],
  { filterSize, strides, pad, dimRoundingMode }: Attributes,
): PoolingGeometry {
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

type GeometryFrom = typeof geometryFrom2D;

function gradientKernel(kernelName: string, geometryFrom: GeometryFrom): KernelConfig {
  const kernelFunc = ({
    inputs: { dy, input, output },
    backend,
    attrs,
  }: Call<{ dy: TensorInfo; input: TensorInfo; output: TensorInfo }>) => {
    const kernels = kernelModuleOf(backend);
    const dx = kernels.output(input.shape);
    const plan = planOf(geometryFrom(input.shape, attrs), kernels.pointer(input), kernels.pointer(dx));
    runPlan(kernels, [...plan, kernels.pointer(output), kernels.pointer(dy)], (pointer) =>
      kernels.functions.max_pool_gradient(pointer),
    );
    return dx;
  };
  return { kernelName, backendName: 'wasm', kernelFunc: kernelFunc as unknown as KernelFunc };
}

/** MaxPoolGrad; the backend's own is wrong for strides above 1. */
export const maxPoolGradient: KernelConfig = gradientKernel('MaxPoolGrad', geometryFrom2D);

/** MaxPool3DGrad; the backend's own is wrong for windows of negative values. */
export const maxPool3DGradient: KernelConfig = gradientKernel('MaxPool3DGrad', geometryFrom3D);

/** MaxPool3D; the backend's own gives 0 for a window of negative values. */
export const maxPool3D: KernelConfig = {
  kernelName: 'MaxPool3D',
  backendName: 'wasm',
  kernelFunc: (({ inputs: { x }, backend, attrs }: Call<{ x: TensorInfo }>) => {
    const kernels = kernelModuleOf(backend);
    const geometry = geometryFrom3D(x.shape, attrs);
    const output = kernels.output([geometry.batch, ...geometry.output, geometry.inChannels]);
    runPlan(kernels, planOf(geometry, kernels.pointer(x), kernels.pointer(output)), (pointer) =>
      kernels.functions.max_pool(pointer),
    );
    return output;
  }) as unknown as KernelFunc,
};
