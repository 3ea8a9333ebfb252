// 3x3 convolutions of stride 1 by Winograd's minimal filtering, F(4x4, 3x3): 36 products per tile of 16 outputs and pair of
// channels instead of 144, and as many for both gradients (kernels/winograd.c).

import type { ConvolutionGeometry } from './convolution-geometry.ts';
import type { KernelModule } from './kernel-module.ts';

/** Constants of kernels/winograd.c. */
const TILE = 4;
const FREQUENCIES = 36;
const SKEW = 16;

/** Which convolution, seen from its own output. */
export interface WinogradShape {
  batch: number;
  /** Height and width. */
  input: readonly [number, number];
  channels: number;
  output: readonly [number, number];
  columns: number;
  /** Zeros in front of height and width. */
  padding: readonly [number, number];
}

/** The shape of a convolution that these kernels serve, and faster than the direct ones; undefined for others. */
export function winogradShape(g: ConvolutionGeometry): WinogradShape | undefined {
  const { batch, input, output, kernel, inChannels, outChannels, padding } = g;
  const isPlain = [...g.stride, ...g.dilation].every((step) => step === 1) && input[0] === 1;
  if (!isPlain || kernel[0] !== 1 || kernel[1] !== 3 || kernel[2] !== 3) return undefined;
  if (inChannels % 8 !== 0 || outChannels % 8 !== 0) return undefined;
  return ifLarge({
    batch,
    input: [input[1], input[2]],
    channels: inChannels,
    output: [output[1], output[2]],
    columns: outChannels,
    padding: [padding[1], padding[2]],
  });
}

/** The shape of the input gradient of a convolution that has a shape: the convolution of dy with the rotated filter. */
export function winogradGradientShape(g: ConvolutionGeometry): WinogradShape | undefined {
  const shape = winogradShape(g);
  if (shape === undefined) return undefined;
  const { batch, input, channels, output, columns, padding } = shape;
  return ifLarge({
    batch,
    input: output,
    channels: columns,
    output: input,
    columns: channels,
    padding: [2 - padding[0], 2 - padding[1]],
  });
}

/**
 * A tile costs as much as the direct product of some 5.5 pixels, the weights' frequencies as that of 36 (bench/print-kernel-shares.ts,
 * 8 to 256 channels).
 */
function ifLarge(shape: WinogradShape): WinogradShape | undefined {
  const pixels = shape.batch * shape.output[0] * shape.output[1];
  return pixels > 5.5 * countTiles(shape) + 36 ? shape : undefined;
}

function countTiles({ batch, output }: WinogradShape): number {
  return batch * Math.ceil(output[0] / TILE) * Math.ceil(output[1] / TILE);
}

/** Tiles at a time: what they take is to stay in the second-level cache. */
const BLOCKS = { winograd_convolve: 16, winograd_filter_gradient: 32 };

/** Floats of the packed weights. */
export function winogradWeights(channels: number, columns: number): number {
  return FREQUENCIES * (channels * columns + SKEW);
}

/** Pointers, sizes and settings of the kernels' plan. */
interface Call {
  input: number;
  /** Packed weights, or dy where the filter's gradient is asked for. */
  weights: number;
  bias?: number;
  output: number;
  activation?: number;
  slope?: number;
}

function runKernel(
  kernels: KernelModule,
  allocate: (bytes: number) => number,
  name: keyof typeof BLOCKS,
  shape: WinogradShape,
  { input, weights, bias = 0, output, activation = 0, slope = 0 }: Call,
): void {
  const { channels, columns } = shape;
  const block = Math.min(BLOCKS[name], TILE * Math.ceil(countTiles(shape) / TILE));
  const sums = name === 'winograd_convolve' ? 0 : FREQUENCIES * (channels * columns + SKEW) + 16 * columns;
  const scratch = sums + FREQUENCIES * (block * (channels + columns) + 2 * SKEW + channels);
  const plan = [
    ...[input, weights, bias, output, allocate(scratch * 4)],
    ...[shape.batch, ...shape.input, channels, ...shape.output, columns, ...shape.padding],
    ...[block, activation],
  ];
  const pointer = allocate(plan.length * 4 + 4);
  kernels.writeInts(pointer, plan);
  kernels.writeFloats(pointer + plan.length * 4, [slope]);
  kernels.functions[name](pointer);
}

/** A convolution; `weights` packed by `winograd_weights`, `bias` [columns]. */
export function winogradConvolve(
  kernels: KernelModule,
  allocate: (bytes: number) => number,
  shape: WinogradShape,
  call: Required<Call>,
): void {
  runKernel(kernels, allocate, 'winograd_convolve', shape, call);
}

/** Its gradient with respect to the filter, [3, 3, channels, columns]. */
export function winogradFilterGradient(
  kernels: KernelModule,
  shape: WinogradShape,
  input: number,
  dy: number,
  output: number,
): void {
  kernels.scratch((allocate) =>
    runKernel(kernels, allocate, 'winograd_filter_gradient', shape, { input, weights: dy, output }),
  );
}
