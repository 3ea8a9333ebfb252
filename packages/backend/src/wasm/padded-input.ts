import { type Axes, mapAxes, volumeOf } from './convolution-geometry.ts';
import type { KernelModule } from './kernel-module.ts';

/** An input with its zeros around it: where it lies and its spatial sizes. */
export interface PaddedInput {
  pointer: number;
  size: Axes;
}

/**
 * Surrounds [batch, d1, d2, d3, channels] at `source` with zeros, in scratch memory; without zeros to add it is used in place.
 *
 * @param low zeros in front of each axis.
 * @param high zeros behind each axis.
 */
export function padInput(
  kernels: KernelModule,
  allocate: (bytes: number) => number,
  source: number,
  batch: number,
  size: Axes,
  channels: number,
  low: Axes,
  high: Axes,
): PaddedInput {
  const padded = mapAxes((axis) => low[axis] + size[axis] + high[axis]);
  if (volumeOf(padded) === volumeOf(size)) return { pointer: source, size };
  const pointer = allocate(batch * volumeOf(padded) * channels * 4);
  kernels.functions.pad_input(
    source,
    pointer,
    batch,
    size[0],
    size[1],
    size[2] * channels,
    low[0],
    padded[0],
    low[1],
    padded[1],
    low[2] * channels,
    padded[2] * channels,
  );
  return { pointer, size: padded };
}

/** Floats per step along each axis (batch, then the three axes) of [batch, d1, d2, d3, channels]. */
export function stridesOf(size: Axes, channels: number): [number, number, number, number] {
  const third = channels;
  const second = size[2] * third;
  const first = size[1] * second;
  return [size[0] * first, first, second, third];
}

/** Axes of the compiled kernel around the contiguous runs. */
const AXES = 5;

/**
 * Copies a box of elements of four bytes between two row-major layouts.
 *
 * @param size of the box along each axis.
 * @param fromStrides source elements per step along each axis; the last is 1. @param toStrides likewise.
 * @returns false when the box has more separate axes than the kernel knows; nothing is copied then.
 */
export function copyBox(
  kernels: KernelModule,
  from: number,
  to: number,
  size: readonly number[],
  fromStrides: readonly number[],
  toStrides: readonly number[],
): boolean {
  const axes: { size: number; from: number; to: number }[] = [];
  for (let axis = 0; axis < size.length; axis++) {
    if (size[axis] === 1) continue;
    const outer = axes.at(-1);
    const inner = { size: size[axis], from: fromStrides[axis], to: toStrides[axis] };
    // An axis that continues the one outside of it on both sides is the same run.
    if (outer && outer.from === inner.size * inner.from && outer.to === inner.size * inner.to) {
      axes[axes.length - 1] = { size: outer.size * inner.size, from: inner.from, to: inner.to };
    } else {
      axes.push(inner);
    }
  }
  const last = axes.at(-1);
  const isRun = last !== undefined && last.from === 1 && last.to === 1;
  const width = isRun ? last.size : 1;
  if (isRun) axes.pop();
  if (axes.length > AXES) return false;
  while (axes.length < AXES) axes.unshift({ size: 1, from: 0, to: 0 });
  kernels.scratch((allocate) => {
    const plan = [from, to, width];
    plan.push(...axes.map((a) => a.size), ...axes.map((a) => a.from), ...axes.map((a) => a.to));
    const pointer = allocate(plan.length * 4);
    kernels.writeInts(pointer, plan);
    kernels.functions.copy_box(pointer);
  });
  return true;
}

/** Elements per step along each axis of a row-major array. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) strides[axis] = strides[axis + 1] * shape[axis + 1];
  return strides;
}
