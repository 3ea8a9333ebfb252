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
