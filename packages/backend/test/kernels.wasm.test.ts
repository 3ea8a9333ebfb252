import { describe, expect, it } from 'vitest';
import { type Axes, type ConvolutionGeometry, volumeOf } from '../src/wasm/convolution-geometry.ts';
import { convolve, convolveFilterGradient, convolveInputGradient } from '../src/wasm/convolve.ts';
import { KERNEL_BINARIES, type KernelVariant } from '../src/wasm/kernel-binaries.generated.ts';
import { enableRelaxedSimd, type KernelModule } from '../src/wasm/kernel-module.ts';

enableRelaxedSimd();

interface Shape {
  batch: number;
  size: [number, number];
  channels: number;
  columns: number;
  /** Zeros in front and behind, along height and width. */
  padding: [[number, number], [number, number]];
}

/** Odd sizes, none square; tiles beyond the last row and column; paddings on one side, beyond one pixel and negative. */
const SHAPES: Shape[] = [
  {
    batch: 1,
    size: [8, 12],
    channels: 8,
    columns: 16,
    padding: [
      [1, 1],
      [1, 1],
    ],
  },
  {
    batch: 3,
    size: [7, 10],
    channels: 24,
    columns: 8,
    padding: [
      [1, 1],
      [1, 1],
    ],
  },
  {
    batch: 2,
    size: [11, 5],
    channels: 16,
    columns: 24,
    padding: [
      [0, 0],
      [0, 0],
    ],
  },
  {
    batch: 1,
    size: [9, 14],
    channels: 40,
    columns: 16,
    padding: [
      [0, 2],
      [2, 1],
    ],
  },
  {
    batch: 2,
    size: [3, 6],
    channels: 8,
    columns: 8,
    padding: [
      [4, 5],
      [3, 0],
    ],
  },
  {
    batch: 1,
    size: [13, 9],
    channels: 16,
    columns: 8,
    padding: [
      [-1, 1],
      [2, -2],
    ],
  },
];

/** The kernels of one build with a memory of their own, and what the convolutions need of a module. */
function open(variant: KernelVariant) {
  const isShared = variant.startsWith('shared');
  const memory = new WebAssembly.Memory({ initial: 512, maximum: isShared ? 65536 : 512, shared: isShared });
  const module = new WebAssembly.Module(Buffer.from(KERNEL_BINARIES[variant], 'base64'));
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const functions = exports as Record<string, (...pointers: number[]) => void>;
  (exports.__stack_pointer as WebAssembly.Global).value = 16384;
  let top = 16384;
  return {
    functions,
    /** Byte offset of that many floats, filled with NaN: what is read before it is written shows. */
    room(count: number): number {
      const pointer = top;
      top += Math.ceil(count / 4) * 16;
      new Float32Array(memory.buffer, pointer, count).fill(Number.NaN);
      return pointer;
    },
    write(values: ArrayLike<number>): number {
      const pointer = this.room(values.length);
      new Float32Array(memory.buffer, pointer, values.length).set(values);
      return pointer;
    },
    plan(integers: number[], slope: number): number {
      const pointer = this.room(integers.length + 1);
      new Int32Array(memory.buffer, pointer, integers.length).set(integers);
      new Float32Array(memory.buffer, pointer + 4 * integers.length, 1)[0] = slope;
      return pointer;
    },
    read: (pointer: number, count: number) => new Float32Array(memory.buffer, pointer, count).slice(),
    module(): KernelModule {
      const allocate = (bytes: number): number => this.room(bytes / 4);
      const module: Partial<KernelModule> = {
        functions: functions as never,
        scratch: (body) => body(allocate),
        packed(_weights, _form, bytes, take, pack) {
          const target = take(bytes);
          pack(target);
          return target;
        },
        copy: (from, to, bytes) => new Uint8Array(memory.buffer).copyWithin(to, from, from + bytes),
        writeZeros: (pointer, count) => new Float32Array(memory.buffer, pointer, count).fill(0),
        writeFloats: (pointer, list) => new Float32Array(memory.buffer, pointer, list.length).set(list),
        writeInts: (pointer, list) => new Int32Array(memory.buffer, pointer, list.length).set(list),
      };
      return module as KernelModule;
    },
  };
}

const one = [1, 1, 1] as const;
/** Columns of one to several panels, whole and not, of both widths; runs of rows that are no multiple of a tile. */
const GEOMETRIES: ConvolutionGeometry[] = [
  [[1, 5, 9], 7, [1, 5, 9], 28, [1, 1, 1], one, [0, 0, 0]],
  [[1, 9, 7], 3, [1, 5, 4], 31, [1, 3, 5], [1, 2, 2], [0, 1, 2]],
  [[5, 4, 7], 5, [3, 2, 4], 12, [4, 4, 4], [2, 2, 2], [1, 1, 1]],
  [[1, 6, 10], 16, [1, 6, 10], 44, [1, 3, 3], one, [0, 1, 1]],
  [[1, 9, 11], 16, [1, 9, 11], 24, [1, 3, 3], one, [0, 1, 1]],
].map(([input, inChannels, output, outChannels, kernel, stride, padding]) => ({
  ...{ batch: 2, dilation: one },
  ...({ input, inChannels, output, outChannels, kernel, stride, padding } as Omit<
    ConvolutionGeometry,
    'batch' | 'dilation'
  >),
}));

/** Calls `body` with every product of a convolution: offsets of input, filter and output. */
function eachTerm(
  { batch, input: d, inChannels, output: o, outChannels, kernel: k, stride, padding }: ConvolutionGeometry,
  body: (input: number, filter: number, output: number) => void,
): void {
  const [pixels, taps] = [o[0] * o[1] * o[2], k[0] * k[1] * k[2]];
  const at = (i: number, [, b, c]: Axes): number[] => [Math.floor(i / (b * c)), Math.floor(i / c) % b, i % c];
  for (let q = 0; q < batch * pixels; q++) {
    const pixel = at(q % pixels, o);
    for (let t = 0; t < taps; t++) {
      const [z, y, x] = at(t, k).map((tap, axis) => pixel[axis] * stride[axis] + tap - padding[axis]);
      if (z < 0 || y < 0 || x < 0 || z >= d[0] || y >= d[1] || x >= d[2]) continue;
      const from = (((Math.floor(q / pixels) * d[0] + z) * d[1] + y) * d[2] + x) * inChannels;
      for (let c = 0; c < inChannels; c++) {
        for (let n = 0; n < outChannels; n++)
          body(from + c, (t * inChannels + c) * outChannels + n, q * outChannels + n);
      }
    }
  }
}

let state = 5;
/** Values in -1..1 of a linear congruential generator. */
const values = (count: number): Float32Array =>
  Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });

/** Calls `body` with every product of the convolution: offsets of input, filter and output. */
function eachProduct(s: Shape, body: (input: number, filter: number, output: number) => void): void {
  const [height, width] = s.size;
  const [outHeight, outWidth] = outputOf(s);
  for (let b = 0; b < s.batch; b++) {
    for (let y = 0; y < outHeight; y++) {
      for (let x = 0; x < outWidth; x++) {
        for (let t = 0; t < 9; t++) {
          const v = y + Math.floor(t / 3) - s.padding[0][0];
          const u = x + (t % 3) - s.padding[1][0];
          if (v < 0 || u < 0 || v >= height || u >= width) continue;
          for (let c = 0; c < s.channels; c++) {
            const input = ((b * height + v) * width + u) * s.channels + c;
            for (let n = 0; n < s.columns; n++) {
              const output = ((b * outHeight + y) * outWidth + x) * s.columns + n;
              body(input, (t * s.channels + c) * s.columns + n, output);
            }
          }
        }
      }
    }
  }
}

const outputOf = ({ size, padding }: Shape): [number, number] => [
  size[0] + padding[0][0] + padding[0][1] - 2,
  size[1] + padding[1][0] + padding[1][1] - 2,
];

/** Largest difference as a share of the largest value. */
function errorOf(actual: Float32Array, expected: Float64Array): number {
  const scale = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return actual.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i])), 0) / scale;
}

const BLOCK = 8;
const SKEW = 16;

const VARIANTS = Object.keys(KERNEL_BINARIES) as KernelVariant[];

for (const variant of VARIANTS) {
  describe(`kernels, ${variant}`, () => {
    for (const g of GEOMETRIES) {
      it(`convolve ${g.input} ${g.inChannels} by ${g.kernel} to ${g.outChannels} as computed in 64 bits`, () => {
        const kernels = open(variant);
        const module = kernels.module();
        const input = values(g.batch * volumeOf(g.input) * g.inChannels);
        const filter = values(volumeOf(g.kernel) * g.inChannels * g.outChannels);
        const dy = values(g.batch * volumeOf(g.output) * g.outChannels);
        const bias = values(g.outChannels);
        const expected = Float64Array.from(dy, (_, i) => bias[i % g.outChannels]);
        const [dx, dw] = [new Float64Array(input.length), new Float64Array(filter.length)];
        eachTerm(g, (i, f, o) => {
          expected[o] += input[i] * filter[f];
          dx[i] += dy[o] * filter[f];
          dw[f] += dy[o] * input[i];
        });
        const [x, w, gradient, offset] = [input, filter, dy, bias].map((array) => kernels.write(array));
        const to = kernels.room(input.length + filter.length + dy.length);
        convolve(module, g, x, w, to, { bias: offset, activation: 'leakyrelu', slope: 0.3 });
        const activated = expected.map((value) => (value < 0 ? 0.3 * value : value));
        expect(errorOf(kernels.read(to, dy.length), activated)).toBeLessThan(2e-6);
        convolveInputGradient(module, g, gradient, w, to);
        expect(errorOf(kernels.read(to, dx.length), dx), 'input gradient').toBeLessThan(2e-6);
        convolveFilterGradient(module, g, x, gradient, to);
        expect(errorOf(kernels.read(to, dw.length), dw), 'filter gradient').toBeLessThan(2e-6);
      });
    }

    for (const width of [3, 8, 21, 40, 300]) {
      it(`normalise ${width} columns as computed in 64 bits, and rectify`, () => {
        const kernels = open(variant);
        const { functions, read } = kernels;
        const room = (count: number): number => kernels.room(count);
        const rows = 147;
        const [x, dy] = [values(rows * width).map((value) => value + 2), values(rows * width)];
        const scale = values(width);
        const epsilon = 1e-3;
        const column = (array: ArrayLike<number>, c: number): number[] =>
          Array.from({ length: rows }, (_, r) => array[r * width + c]);
        const average = (list: number[]): number => list.reduce((a, b) => a + b) / rows;
        const columns = Array.from(scale, (_, c) => {
          const mean = average(column(x, c));
          const variance = average(column(x, c).map((value) => (value - mean) ** 2));
          const inverse = 1 / Math.sqrt(variance + epsilon);
          const products = column(x, c).map((value, r) => (value - mean) * inverse * dy[r * width + c]);
          return { mean, variance, inverse, offset: average(column(dy, c)), slope: average(products) };
        });
        const [from, gradient, factor] = [x, dy, scale].map((array) => kernels.write(array));
        const [mean, variance, dScale, dOffset] = [0, 0, 0, 0].map(() => room(width));
        const dx = room(x.length);
        functions.moments(from, rows, width, mean, variance);
        const near = (pointer: number, list: number[]): void =>
          expect(errorOf(read(pointer, list.length), Float64Array.from(list))).toBeLessThan(3e-6);
        near(
          mean,
          columns.map((entry) => entry.mean),
        );
        near(
          variance,
          columns.map((entry) => entry.variance),
        );
        const pointers = [gradient, from, mean, variance, factor, dx, dScale, dOffset];
        functions.normalization_gradient(...pointers, rows, width, epsilon, room(3 * width));
        near(
          dOffset,
          columns.map(({ offset }) => rows * offset),
        );
        near(
          dScale,
          columns.map(({ slope }) => rows * slope),
        );
        const expected = Array.from(dy, (value, i) => {
          const { mean: m, inverse, offset, slope } = columns[i % width];
          return scale[i % width] * inverse * (value - offset - (x[i] - m) * inverse * slope);
        });
        near(dx, expected);
        functions.sum_middle(from, dx, 1, rows, width, 0.5);
        near(
          dx,
          columns.map((entry) => 0.5 * rows * entry.mean),
        );
        functions.rectifier_gradient(from, gradient, dx, x.length, 0.25);
        near(
          dx,
          Array.from(x, (value, i) => (dy[i] > 0 ? value : 0.25 * value)),
        );
      });
    }
  });

  describe(`Winograd's kernels, ${variant}`, () => {
    for (const s of SHAPES) {
      const [height, width] = s.size;
      const [outHeight, outWidth] = outputOf(s);
      const pixels = s.batch * outHeight * outWidth;
      const bothSides = 36 * (BLOCK * (s.channels + s.columns) + 2 * SKEW);
      it(`${s.batch} x ${s.size}, ${s.channels} to ${s.columns}, padding ${s.padding.join(' ')}: as computed in 64 bits`, () => {
        const kernels = open(variant);
        const [input, filter] = [
          values(s.batch * height * width * s.channels),
          values(9 * s.channels * s.columns),
        ];
        const [dy, bias] = [values(pixels * s.columns), values(s.columns)];
        const expected = Float64Array.from({ length: dy.length }, (_, i) => bias[i % s.columns]);
        const [inputGradient, filterGradient] = [
          new Float64Array(input.length),
          new Float64Array(filter.length),
        ];
        eachProduct(s, (i, f, o) => {
          expected[o] += input[i] * filter[f];
          inputGradient[i] += dy[o] * filter[f];
          filterGradient[f] += dy[o] * input[i];
        });
        const [x, w, g, offset] = [input, filter, dy, bias].map((array) => kernels.write(array));
        const tap = s.channels * s.columns;
        const packed = kernels.room(36 * (tap + SKEW));
        const scratch = kernels.room(36 * (tap + SKEW + s.channels + s.columns) + 16 * s.columns + bothSides);
        const sizes = [s.batch, height, width, s.channels, outHeight, outWidth, s.columns];
        const top = [s.padding[0][0], s.padding[1][0]];

        kernels.functions.winograd_weights(w, packed, s.channels, s.columns, 3 * tap, tap, s.columns, 1);
        const output = kernels.room(dy.length);
        for (const [activation, apply] of [
          [0, (value: number) => value],
          [1, (value: number) => Math.max(0, value)],
          [3, (value: number) => (value < 0 ? 0.2 * value : value)],
        ] as const) {
          const plan = [x, packed, offset, output, scratch, ...sizes, ...top, BLOCK, activation];
          kernels.functions.winograd_convolve(kernels.plan(plan, 0.2));
          expect(
            errorOf(kernels.read(output, dy.length), expected.map(apply)),
            `activation ${activation}`,
          ).toBeLessThan(3e-6);
        }

        kernels.functions.winograd_weights(
          w + 8 * tap * 4,
          packed,
          s.columns,
          s.channels,
          -3 * tap,
          -tap,
          1,
          s.columns,
        );
        const back = [
          s.batch,
          outHeight,
          outWidth,
          s.columns,
          height,
          width,
          s.channels,
          2 - top[0],
          2 - top[1],
        ];
        const dx = kernels.room(input.length);
        const none = kernels.write(new Float32Array(s.channels));
        kernels.functions.winograd_convolve(
          kernels.plan([g, packed, none, dx, scratch, ...back, BLOCK, 0], 0),
        );
        expect(errorOf(kernels.read(dx, input.length), inputGradient), 'input gradient').toBeLessThan(3e-6);

        const dw = kernels.room(filter.length);
        kernels.functions.winograd_filter_gradient(
          kernels.plan([x, g, 0, dw, scratch, ...sizes, ...top, BLOCK, 0], 0),
        );
        expect(errorOf(kernels.read(dw, filter.length), filterGradient), 'filter gradient').toBeLessThan(
          3e-6,
        );
      });
    }
  });
}
