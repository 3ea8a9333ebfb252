// Design. One implicit matrix product serves convolutions, input gradients and matrix products of one to three spatial axes:
// taps that lie side by side in the input become one run, weights are packed once into panels of eight columns, and a block
// of pixels stays in the first-level cache while the panels pass by (kernels/convolution.c).
//
// Tried before and lost, GFLOP/s on one thread: compositions of the backend's own kernels. The input gradient as a convolution
// with the rotated filter reached 23, but a stride needs zeros between the pixels of dy; the filter gradient as nine 1x1
// convolutions of the transposed input 10; a 3D convolution (k 4, stride 2) as folded 2D convolutions 4, its own kernel 0.5.
// Measured now by bench/print-kernel-shares.ts (docs/backends.md has the table): 18 to 25 with plain SIMD, 30 to 41 with the
// fused multiplication and addition of relaxed SIMD, where the backend's own 3x3 convolution has 23 to 24.
//
// A strided input gradient is one pass per phase of the stride instead of a convolution over inserted zeros, 7 of 8 of which
// would be multiplied in vain at stride 2 in 3D. With few input channels (6 to 64 at 64^3) the phases are short runs: 16 plain.

import { type Axes, type ConvolutionGeometry, mapAxes, sumAxes, volumeOf } from './convolution-geometry.ts';
import type { KernelModule } from './kernel-module.ts';
import { type PaddedInput, padInput, stridesOf } from './padded-input.ts';
import {
  type WinogradShape,
  winogradConvolve,
  winogradFilterGradient,
  winogradGradientShape,
  winogradShape,
  winogradWeights,
} from './winograd.ts';

/** Columns of a packed panel and pixels of a block: the constants of kernels/convolution.c. */
const PANEL = 8;
const OFFSETS = 2 * (48 + 3);
/** Pixels of a block of kernels/filter-gradient.c, and rows that it packs at a time. */
const GRADIENT_BLOCK = 256;
const GRADIENT_ROWS = 12;

/** Activations that the compiled kernel knows. */
export type Activation = 'linear' | 'relu' | 'relu6' | 'leakyrelu';

/** What happens to each sum: a bias is added, then the activation. */
export interface Epilogue {
  /** Byte offset of [columns] floats. */
  bias?: number;
  activation?: Activation;
  /** Slope of 'leakyrelu' below 0. */
  slope?: number;
}

const ACTIVATIONS = ['linear', 'relu', 'relu6', 'leakyrelu'];

/** One pass of the compiled kernel over a grid of output pixels. */
export interface Pass {
  input: PaddedInput;
  /** Float offset of the first output pixel's window in the padded input. */
  inputStart: number;
  weights: number;
  weightStart: number;
  /** Taps along each axis, and the weights' float strides along them (negative for a rotated kernel). */
  kernel: Axes;
  weightStrides: Axes;
  channelStride: number;
  columnStride: number;
  channels: number;
  columns: number;
  dilation: Axes;
  batch: number;
  /** Output pixels along each axis, and input pixels per output pixel. */
  size: Axes;
  step: Axes;
  output: number;
  outputStart: number;
  outputStrides: readonly [number, number, number, number];
  epilogue?: Epilogue;
}

/** Float offsets of the runs of taps that lie contiguously in the input, and their length in floats. */
export function tapRuns(
  kernel: Axes,
  dilation: Axes,
  size: Axes,
  channels: number,
): { offsets: number[]; run: number } {
  const [, first, second, third] = stridesOf(size, channels);
  const isContiguous = dilation[2] === 1 || kernel[2] === 1;
  const offsets: number[] = [];
  for (let a = 0; a < kernel[0]; a++) {
    for (let b = 0; b < kernel[1]; b++) {
      for (let c = 0; c < (isContiguous ? 1 : kernel[2]); c++) {
        offsets.push(a * dilation[0] * first + b * dilation[1] * second + c * dilation[2] * third);
      }
    }
  }
  return { offsets, run: isContiguous ? kernel[2] * channels : channels };
}

/** Copies the bias behind its zeros: [columns] padded to whole panels. */
function padBias(
  kernels: KernelModule,
  allocate: (bytes: number) => number,
  columns: number,
  bias: number | undefined,
): number {
  const length = Math.ceil(columns / PANEL) * PANEL;
  const target = allocate(length * 4);
  if (bias === undefined || length > columns) kernels.writeZeros(target, length);
  if (bias !== undefined) kernels.copy(bias, target, columns * 4);
  return target;
}

/** Runs one pass: packs the weights, then the compiled kernel. */
export function runPass(kernels: KernelModule, allocate: (bytes: number) => number, pass: Pass): void {
  const { kernel, channels, columns, weightStrides } = pass;
  const { offsets, run } = tapRuns(kernel, pass.dilation, pass.input.size, channels);
  const { channelStride, columnStride } = pass;
  const order = [...kernel, channels, columns, ...weightStrides, channelStride, columnStride];
  const bytes = Math.ceil(columns / PANEL) * PANEL * volumeOf(kernel) * channels * 4;
  const start = pass.weights + pass.weightStart * 4;
  const packed = kernels.packed(pass.weights, `${pass.weightStart} ${order}`, bytes, allocate, (target) =>
    kernels.functions.pack_weights(start, target, ...order),
  );
  const taps = allocate(offsets.length * 4);
  kernels.writeInts(taps, offsets);
  const [inBatch, in1, in2, in3] = stridesOf(pass.input.size, channels);
  const plan = [
    pass.input.pointer + pass.inputStart * 4,
    packed,
    padBias(kernels, allocate, columns, pass.epilogue?.bias),
    pass.output + pass.outputStart * 4,
    taps,
    offsets.length,
    run,
    columns,
    pass.batch,
    ...pass.size,
    inBatch,
    in1 * pass.step[0],
    in2 * pass.step[1],
    in3 * pass.step[2],
    ...pass.outputStrides,
    ACTIVATIONS.indexOf(pass.epilogue?.activation ?? 'linear'),
  ];
  const pointer = allocate(plan.length * 4 + 4);
  kernels.writeInts(pointer, plan);
  kernels.writeFloats(pointer + plan.length * 4, [pass.epilogue?.slope ?? 0]);
  kernels.functions.convolve(pointer, allocate(OFFSETS * 4));
}

/** Strides of the weights of a 3x3 convolution, in floats: along height, width, channels and columns; and where the first lies. */
interface WinogradStrides {
  strides: readonly [number, number, number, number];
  start: number;
}

/** Runs a 3x3 convolution by Winograd's kernels. */
function runWinograd(
  kernels: KernelModule,
  shape: WinogradShape,
  { strides, start }: WinogradStrides,
  input: number,
  weights: number,
  output: number,
  epilogue?: Epilogue,
): void {
  const { channels, columns } = shape;
  kernels.scratch((allocate) => {
    const bytes = winogradWeights(channels, columns) * 4;
    const packed = kernels.packed(weights, `winograd ${start} ${strides}`, bytes, allocate, (target) =>
      kernels.functions.winograd_weights(weights + start * 4, target, channels, columns, ...strides),
    );
    const bias = padBias(kernels, allocate, columns, epilogue?.bias);
    const activation = ACTIVATIONS.indexOf(epilogue?.activation ?? 'linear');
    const slope = epilogue?.slope ?? 0;
    winogradConvolve(kernels, allocate, shape, { input, weights: packed, bias, output, activation, slope });
  });
}

/** Zeros behind each axis that the last window reaches into. */
export function paddingBehind(g: ConvolutionGeometry): Axes {
  return mapAxes((axis) => {
    const last = (g.output[axis] - 1) * g.stride[axis] + (g.kernel[axis] - 1) * g.dilation[axis] + 1;
    return Math.max(0, last - g.padding[axis] - g.input[axis]);
  });
}

/**
 * Zeros in front of each axis, at least none. TensorFlow.js gives negative padding for 3D kernels smaller than
 * their stride ('same'); the first window then starts inside the input, `windowStart` pixels from its edge.
 */
export function paddingInFront(g: ConvolutionGeometry): { low: Axes; windowStart: Axes } {
  return {
    low: mapAxes((axis) => Math.max(0, g.padding[axis])),
    windowStart: mapAxes((axis) => Math.max(0, -g.padding[axis])),
  };
}

/** Convolution: input [b, d1, d2, d3, ci], weights [k1, k2, k3, ci, co], output [b, o1, o2, o3, co], as byte offsets. */
export function convolve(
  kernels: KernelModule,
  g: ConvolutionGeometry,
  input: number,
  weights: number,
  output: number,
  epilogue?: Epilogue,
): void {
  const shape = winogradShape(g);
  if (shape !== undefined) {
    const tap = g.inChannels * g.outChannels;
    const strides = [3 * tap, tap, g.outChannels, 1] as const;
    runWinograd(kernels, shape, { strides, start: 0 }, input, weights, output, epilogue);
    return;
  }
  kernels.scratch((allocate) => {
    const columns = g.outChannels;
    const { low, windowStart } = paddingInFront(g);
    const padded = padInput(kernels, allocate, input, g.batch, g.input, g.inChannels, low, paddingBehind(g));
    const inputStrides = stridesOf(padded.size, g.inChannels);
    runPass(kernels, allocate, {
      input: padded,
      inputStart: sumAxes((axis) => windowStart[axis] * inputStrides[axis + 1]),
      weights,
      weightStart: 0,
      kernel: g.kernel,
      weightStrides: [
        g.kernel[1] * g.kernel[2] * g.inChannels * columns,
        g.kernel[2] * g.inChannels * columns,
        g.inChannels * columns,
      ],
      channelStride: columns,
      columnStride: 1,
      channels: g.inChannels,
      columns,
      dilation: g.dilation,
      batch: g.batch,
      size: g.output,
      step: g.stride,
      output,
      outputStart: 0,
      outputStrides: stridesOf(g.output, columns),
      epilogue,
    });
  });
}

/** One axis of one phase of the input gradient: the input pixels i = first + stride * m, m < count. */
interface Phase {
  first: number;
  count: number;
  /** Kernel taps that reach these pixels: remainder + stride * j, j < taps. */
  remainder: number;
  taps: number;
  /** Output pixel of m = 0 under the lowest tap. */
  start: number;
}

function phasesOf(g: ConvolutionGeometry, axis: 0 | 1 | 2): Phase[] {
  const stride = g.stride[axis];
  const phases: Phase[] = [];
  for (let first = 0; first < Math.min(stride, g.input[axis]); first++) {
    const start = Math.floor((first + g.padding[axis]) / stride);
    const remainder = first + g.padding[axis] - start * stride;
    phases.push({
      first,
      count: Math.ceil((g.input[axis] - first) / stride),
      remainder,
      taps: Math.max(0, Math.ceil((g.kernel[axis] - remainder) / stride)),
      start,
    });
  }
  return phases;
}

/**
 * Gradient of a convolution with respect to its input: dy [b, o1, o2, o3, co], weights [k1, k2, k3, ci, co],
 * gradient [b, d1, d2, d3, ci], as byte offsets. With stride s the input falls into s phases per axis; each is
 * a convolution of dy with every s-th tap of the rotated kernel, written to every s-th pixel. Dilation 1 only.
 */
export function convolveInputGradient(
  kernels: KernelModule,
  g: ConvolutionGeometry,
  dy: number,
  weights: number,
  gradient: number,
): void {
  const shape = winogradGradientShape(g);
  if (shape !== undefined) {
    const tap = g.inChannels * g.outChannels;
    const strides = [-3 * tap, -tap, 1, g.outChannels] as const;
    runWinograd(kernels, shape, { strides, start: 8 * tap }, dy, weights, gradient);
    return;
  }
  const phases = [phasesOf(g, 0), phasesOf(g, 1), phasesOf(g, 2)] as const;
  kernels.scratch((allocate) => {
    // Output pixel `start + m - (taps - 1) + j` meets tap j of the rotated kernel.
    const low = mapAxes((axis) => Math.max(0, ...phases[axis].map((p) => p.taps - 1 - p.start)));
    const high = mapAxes((axis) =>
      Math.max(0, ...phases[axis].map((p) => p.start + p.count - g.output[axis])),
    );
    const padded = padInput(kernels, allocate, dy, g.batch, g.output, g.outChannels, low, high);
    const dyStrides = stridesOf(padded.size, g.outChannels);
    const outStrides = stridesOf(g.input, g.inChannels);
    const tapStrides: Axes = [
      g.kernel[1] * g.kernel[2] * g.inChannels * g.outChannels,
      g.kernel[2] * g.inChannels * g.outChannels,
      g.inChannels * g.outChannels,
    ];
    for (const first of phases[0]) {
      for (const second of phases[1]) {
        for (const third of phases[2]) {
          const phase = [first, second, third] as const;
          kernels.scratch((allocateInPass) =>
            runPass(kernels, allocateInPass, {
              input: padded,
              inputStart: sumAxes(
                (axis) => (low[axis] + phase[axis].start - (phase[axis].taps - 1)) * dyStrides[axis + 1],
              ),
              weights,
              weightStart: sumAxes(
                (axis) =>
                  (phase[axis].remainder + g.stride[axis] * (phase[axis].taps - 1)) * tapStrides[axis],
              ),
              kernel: mapAxes((axis) => phase[axis].taps),
              weightStrides: mapAxes((axis) => -g.stride[axis] * tapStrides[axis]),
              channelStride: 1,
              columnStride: g.outChannels,
              channels: g.outChannels,
              columns: g.inChannels,
              dilation: [1, 1, 1],
              batch: g.batch,
              size: mapAxes((axis) => phase[axis].count),
              step: [1, 1, 1],
              output: gradient,
              outputStart: sumAxes((axis) => phase[axis].first * outStrides[axis + 1]),
              outputStrides: [
                outStrides[0],
                outStrides[1] * g.stride[0],
                outStrides[2] * g.stride[1],
                outStrides[3] * g.stride[2],
              ],
            }),
          );
        }
      }
    }
  });
}

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
  const shape = winogradShape(g);
  if (shape !== undefined) {
    winogradFilterGradient(kernels, shape, input, dy, gradient);
    return;
  }
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
    kernels.functions.filter_gradient(pointer, allocate(GRADIENT_BLOCK * (1 + GRADIENT_ROWS + columns) * 4));
  });
}
