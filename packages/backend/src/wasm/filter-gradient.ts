import { type ConvolutionGeometry, mapAxes, sumAxes } from './convolution-geometry.ts';
import { paddingBehind, paddingInFront, tapRuns } from './convolve.ts';
import type { KernelModule } from './kernel-module.ts';
import { padInput, stridesOf } from './padded-input.ts';

/** Pixels per block and columns per panel: the constants of kernels/filter-gradient.c. */
const BLOCK = 256;
const PANEL = 8;

/**
 * Gradient of a convolution with respect to its weights: input [b, d1, d2, d3, ci], dy [b, o1, o2, o3, co],
 * gradient [k1, k2, k3, ci, co], as byte offsets.
 */
export function convolveFilterGradient(
  kernels: KernelModule,
  g: ConvolutionGeometry,
  input: number,
  dy: number,
  gradient: number,
): void {
  kernels.scratch((allocate) => {
    const { low, windowStart } = paddingInFront(g);
    const high = paddingBehind(g);
    const padded = padInput(kernels, allocate, input, g.batch, g.input, g.inChannels, low, high);
    const { offsets, run } = tapRuns(g.kernel, g.dilation, padded.size, g.inChannels);
    const taps = allocate(offsets.length * 4);
    kernels.writeInts(taps, offsets);
    const [inBatch, ...inStrides] = stridesOf(padded.size, g.inChannels);
    const plan = [
      padded.pointer + sumAxes((axis) => windowStart[axis] * inStrides[axis]) * 4,
      dy,
      gradient,
      taps,
      offsets.length,
      run,
      g.outChannels,
      g.batch,
      ...g.output,
      inBatch,
      ...mapAxes((axis) => inStrides[axis] * g.stride[axis]),
    ];
    const pointer = allocate(plan.length * 4);
    kernels.writeInts(pointer, plan);
    const columns = Math.ceil(g.outChannels / PANEL) * PANEL;
    kernels.functions.filter_gradient(pointer, allocate(BLOCK * (1 + 4 + columns) * 4));
  });
}
