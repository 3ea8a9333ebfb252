import { describe, expect, it } from 'vitest';
import { KERNEL_BINARIES, type KernelVariant } from '../src/wasm/kernel-binaries.ts';
import { enableRelaxedSimd } from '../src/wasm/kernel-module.ts';

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

/** The kernels of one build with a memory of their own. */
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
  };
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

for (const variant of Object.keys(KERNEL_BINARIES) as KernelVariant[]) {
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
