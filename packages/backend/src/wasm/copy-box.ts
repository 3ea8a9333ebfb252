import type { KernelModule } from './kernel-module.ts';

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
