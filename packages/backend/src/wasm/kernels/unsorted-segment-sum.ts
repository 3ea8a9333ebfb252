import type { KernelConfig, KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { kernelModuleOf } from '../kernel-module.ts';

/** UnsortedSegmentSum, which the wasm backend lacks: the gradient of `gather`. Ids outside 0..numSegments-1 are dropped. */
export const unsortedSegmentSum: KernelConfig = {
  kernelName: 'UnsortedSegmentSum',
  backendName: 'wasm',
  kernelFunc: (({
    inputs: { x, segmentIds },
    backend,
    attrs: { numSegments },
  }: {
    inputs: { x: TensorInfo; segmentIds: TensorInfo };
    backend: unknown;
    attrs: { numSegments: number };
  }) => {
    if (x.dtype !== 'float32') {
      throw new Error(`UnsortedSegmentSum: values must be float32 on wasm, got ${x.dtype} (cast first)`);
    }
    const kernels = kernelModuleOf(backend);
    const rank = segmentIds.shape.length;
    const inner = x.shape.slice(rank);
    const output = kernels.output([numSegments, ...inner]);
    const count = segmentIds.shape.reduce((product, size) => product * size, 1);
    const width = inner.reduce((product, size) => product * size, 1);
    kernels.functions.segment_sum(
      kernels.pointer(x),
      kernels.pointer(segmentIds),
      kernels.pointer(output),
      count,
      width,
      numSegments,
    );
    return output;
  }) as unknown as KernelFunc,
};
