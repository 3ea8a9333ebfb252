import { backend_util, type KernelConfig, type KernelFunc, type TensorInfo } from '@tensorflow/tfjs-core';
import { kernelModuleOf } from '../kernel-module.ts';

interface Attributes {
  filterSize: [number, number, number] | number;
  strides: [number, number, number] | number;
  pad: 'valid' | 'same' | number;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** MaxPool3D; the backend's own gives 0 for a window of negative values. */
export const maxPool3D: KernelConfig = {
  kernelName: 'MaxPool3D',
  backendName: 'wasm',
  kernelFunc: (({
    inputs: { x },
    backend,
    attrs,
  }: {
    inputs: { x: TensorInfo };
    backend: unknown;
    attrs: Attributes;
  }) => {
    const kernels = kernelModuleOf(backend);
    const info = backend_util.computePool3DInfo(
      x.shape as [number, number, number, number, number],
      attrs.filterSize,
      attrs.strides,
      1,
      attrs.pad,
      attrs.dimRoundingMode,
    );
    const output = kernels.output(info.outShape);
    kernels.scratch((allocate) => {
      const plan = [
        kernels.pointer(x),
        kernels.pointer(output),
        info.batchSize,
        info.inChannels,
        ...[info.inDepth, info.inHeight, info.inWidth],
        ...[info.outDepth, info.outHeight, info.outWidth],
        ...[info.filterDepth, info.filterHeight, info.filterWidth],
        ...[info.strideDepth, info.strideHeight, info.strideWidth],
        ...[info.dilationDepth, info.dilationHeight, info.dilationWidth],
        ...[info.padInfo.front, info.padInfo.top, info.padInfo.left],
      ];
      const pointer = allocate(plan.length * 4);
      kernels.writeInts(pointer, plan);
      kernels.functions.max_pool(pointer);
    });
    return output;
  }) as unknown as KernelFunc,
};
