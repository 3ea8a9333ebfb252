import { backend_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { KernelReplacement } from '../../register-kernels.ts';
import { defineKernel } from '../kernel-module.ts';

interface Attributes {
  axis?: number | number[];
  keepDims?: boolean;
}

/** Sizes around a run of neighbouring reduced axes; undefined when the reduced axes are not neighbours. */
function splitAround(
  shape: number[],
  axes: number[],
): { outer: number; middle: number; inner: number } | undefined {
  // Axes of size 1 are neither reduced nor kept.
  const reduced = axes.filter((axis) => shape[axis] !== 1);
  const first = Math.min(...reduced);
  const last = Math.max(...reduced);
  if (reduced.length === 0) return { outer: util.sizeFromShape(shape), middle: 1, inner: 1 };
  for (let axis = first; axis <= last; axis++) {
    if (shape[axis] !== 1 && !reduced.includes(axis)) return undefined;
  }
  return {
    outer: util.sizeFromShape(shape.slice(0, first)),
    middle: util.sizeFromShape(shape.slice(first, last + 1)),
    inner: util.sizeFromShape(shape.slice(last + 1)),
  };
}

/** Sum or Mean of float32 over neighbouring axes; other calls stay with the backend's own. */
function reductionKernel(kernelName: 'Sum' | 'Mean'): KernelReplacement {
  return defineKernel<{ x: TensorInfo }, Attributes>(kernelName, ({ inputs: { x }, attrs, kernels }) => {
    if (x.dtype !== 'float32' || util.sizeFromShape(x.shape) === 0) return undefined;
    const axes = util.parseAxisParam(attrs.axis as number[], x.shape);
    const sizes = splitAround(x.shape, axes);
    if (sizes === undefined) return undefined;
    const [kept] = backend_util.computeOutAndReduceShapes(x.shape, axes);
    const output = kernels.output(attrs.keepDims ? backend_util.expandShapeToKeepDim(kept, axes) : kept);
    const { outer, middle, inner } = sizes;
    const factor = kernelName === 'Mean' ? 1 / middle : 1;
    kernels.functions.sum_middle(kernels.pointer(x), kernels.pointer(output), outer, middle, inner, factor);
    return output;
  });
}

/** UnsortedSegmentSum, which the wasm backend lacks: the gradient of `gather`. Ids outside 0..numSegments-1 are dropped. */
const unsortedSegmentSum = defineKernel<{ x: TensorInfo; segmentIds: TensorInfo }, { numSegments: number }>(
  'UnsortedSegmentSum',
  ({ inputs: { x, segmentIds }, attrs: { numSegments }, kernels }) => {
    if (x.dtype !== 'float32') return undefined;
    const inner = x.shape.slice(segmentIds.shape.length);
    const output = kernels.output([numSegments, ...inner]);
    kernels.functions.segment_sum(
      kernels.pointer(x),
      kernels.pointer(segmentIds),
      kernels.pointer(output),
      util.sizeFromShape(segmentIds.shape),
      util.sizeFromShape(inner),
      numSegments,
    );
    return output;
  },
);

/** Sums over axes and segments. */
export const REDUCTION_KERNELS: readonly KernelReplacement[] = [
  reductionKernel('Sum'),
  reductionKernel('Mean'),
  unsortedSegmentSum,
];
