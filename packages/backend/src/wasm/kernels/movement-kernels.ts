import { backend_util, type KernelBackend, slice_util, type TensorInfo, util } from '@tensorflow/tfjs-core';
import type { KernelReplacement } from '../../register-kernels.ts';
import type { KernelModule } from '../kernel-module.ts';
import { defineKernel } from '../kernel-module.ts';
import { copyBox, rowMajorStrides } from '../padded-input.ts';

/** Axes of a shape that `copyBox` always takes. */
const MOST_AXES = 6;

type Copied = 'float32' | 'int32';

function isCopied(tensor: TensorInfo): boolean {
  const isWord = tensor.dtype === 'float32' || tensor.dtype === 'int32';
  return isWord && tensor.shape.length <= MOST_AXES && util.sizeFromShape(tensor.shape) > 0;
}

/** The part of x that starts at `begin` and has that size. */
function cut(
  kernels: KernelModule,
  x: TensorInfo,
  begin: readonly number[],
  size: readonly number[],
): TensorInfo {
  const output = kernels.output([...size], x.dtype as Copied);
  const strides = rowMajorStrides(x.shape);
  const start = begin.reduce((sum, first, axis) => sum + first * strides[axis], 0);
  const [from, to] = [kernels.pointer(x) + start * 4, kernels.pointer(output)];
  copyBox(kernels, from, to, size, strides, rowMajorStrides(size));
  return output;
}

/** Identity as a second name of the same values, as on other backends; the backend's own copies them. */
const identity: KernelReplacement = {
  kernelName: 'Identity',
  backendName: 'wasm',
  create: (original) => (params) => {
    const { x } = params.inputs as unknown as { x: TensorInfo };
    if (x.dtype === 'string') return original(params);
    (params.backend as KernelBackend).incRef(x.dataId);
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  },
};

/** Slice; the backend's own copies the whole input first, and walks element by element from rank 5. */
const slice = defineKernel<{ x: TensorInfo }, { begin: number | number[]; size: number | number[] }>(
  'Slice',
  ({ inputs: { x }, attrs, kernels }) => {
    if (!isCopied(x)) return undefined;
    const [begin, size] = slice_util.parseSliceParams(x, attrs.begin, attrs.size);
    slice_util.assertParamsValid(x, begin, size);
    return util.sizeFromShape(size) === 0 ? undefined : cut(kernels, x, begin, size);
  },
);

/** SplitV, as Slice. */
const split = defineKernel<{ x: TensorInfo }, { numOrSizeSplits: number | number[]; axis: number }>(
  'SplitV',
  ({ inputs: { x }, attrs, kernels }) => {
    if (!isCopied(x)) return undefined;
    const axis = util.parseAxisParam(attrs.axis, x.shape)[0];
    const sizes = backend_util.prepareSplitSize(x as never, attrs.numOrSizeSplits, axis);
    if (sizes.some((size) => size === 0)) return undefined;
    const begin = x.shape.map(() => 0);
    return sizes.map((size) => {
      const part = cut(kernels, x, begin, x.shape.with(axis, size));
      begin[axis] += size;
      return part;
    });
  },
);

/** Concat; the backend's own copies each run through a new view in JavaScript. */
const concat = defineKernel<TensorInfo[], { axis: number }>('Concat', ({ inputs, attrs, kernels }) => {
  const tensors = Array.from(inputs);
  const [{ dtype }] = tensors;
  if (tensors.length < 2 || !tensors.every((tensor) => isCopied(tensor) && tensor.dtype === dtype))
    return undefined;
  const axis = util.parseAxisParam(attrs.axis, tensors[0].shape)[0];
  const shapes = tensors.map((tensor) => tensor.shape);
  backend_util.assertParamsConsistent(shapes, axis);
  const output = kernels.output(backend_util.computeOutShape(shapes, axis), dtype as Copied);
  const strides = rowMajorStrides(output.shape);
  let to = kernels.pointer(output);
  for (const tensor of tensors) {
    copyBox(kernels, kernels.pointer(tensor), to, tensor.shape, rowMajorStrides(tensor.shape), strides);
    to += tensor.shape[axis] * strides[axis] * 4;
  }
  return output;
});

/** ResizeNearestNeighbor by whole factors, as repeated copies; the backend's own looks up every pixel. */
const resizeNearest = defineKernel<
  { images: TensorInfo },
  { size: [number, number]; alignCorners: boolean; halfPixelCenters: boolean }
>('ResizeNearestNeighbor', ({ inputs: { images }, attrs: { size, alignCorners }, kernels }) => {
  const [batch, height, width, channels] = images.shape;
  const [rows, columns] = [size[0] / height, size[1] / width];
  const isRepeated = Number.isInteger(rows) && Number.isInteger(columns) && !alignCorners;
  if (!isRepeated || !isCopied(images)) return undefined;
  const output = kernels.output([batch, ...size, channels], images.dtype as Copied);
  const row = width * channels;
  const outRow = row * columns;
  const from = [row, 0, channels, 0, 1];
  const to = [outRow * rows, outRow, channels * columns, channels, 1];
  const runs = [batch * height, rows, width, columns, channels];
  copyBox(kernels, kernels.pointer(images), kernels.pointer(output), runs, from, to);
  return output;
});

/** Input pixel that each output pixel of nearest-neighbour resizing is a copy of, as the backend computes it. */
function sources(size: number, outputSize: number, alignCorners: boolean): number[] {
  const isAligned = alignCorners && outputSize > 1;
  const scale = isAligned ? (size - 1) / (outputSize - 1) : size / outputSize;
  return Array.from({ length: outputSize }, (_, i) =>
    Math.min(size - 1, alignCorners ? Math.round(i * scale) : Math.floor(i * scale)),
  );
}

/** ResizeNearestNeighborGrad, faster than the backend's own. */
const resizeNearestGradient = defineKernel<{ images: TensorInfo; dy: TensorInfo }, { alignCorners: boolean }>(
  'ResizeNearestNeighborGrad',
  ({ inputs: { images, dy }, attrs: { alignCorners }, kernels }) => {
    const [batch, height, width, channels] = images.shape;
    const [, outHeight, outWidth] = dy.shape;
    const dx = kernels.output(images.shape);
    kernels.scratch((allocate) => {
      const rows = allocate(outHeight * 4);
      const columns = allocate(outWidth * 4);
      kernels.writeInts(rows, sources(height, outHeight, alignCorners));
      kernels.writeInts(columns, sources(width, outWidth, alignCorners));
      const sizes = [batch, height, width, outHeight, outWidth, channels];
      kernels.functions.nearest_gradient(kernels.pointer(dy), kernels.pointer(dx), rows, columns, ...sizes);
    });
    return dx;
  },
);

/** Kernels that only move values. */
export const MOVEMENT_KERNELS: readonly KernelReplacement[] = [
  identity,
  slice,
  split,
  concat,
  resizeNearest,
  resizeNearestGradient,
];
