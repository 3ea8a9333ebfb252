import { existsSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type NormalizedBatch, normalizeBatch, recordGraph, setupBackend } from '../src/index.ts';
import { type NativeBackend, OWN_OPERATIONS, runNative } from '../src/native/run-native.ts';
import { defaultCacheDirectory } from '../src/setup-node.ts';
import { rectify } from '../src/training/accelerate-training.ts';

// On AVX-512 they are not the default.
process.env.VOXFACE_OWN_OPERATIONS = '1';
const loaded = existsSync(defaultCacheDirectory())
  ? await setupBackend('node').catch((error: Error) => error)
  : new Error(`nothing in ${defaultCacheDirectory()}`);
const native = () => tf.backend() as unknown as NativeBackend;
const lacking =
  loaded instanceof Error ? loaded.message : native().hasOwnOperations ? undefined : 'no operations there';
if (lacking !== undefined) console.log(`our operations SKIPPED: ${lacking} (voxface setup-node builds them)`);

/** Values between -1 and 1 that float32 holds. */
function noise(length: number, seed: number): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((a, b) => a * b, 1);
}

function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(found).toHaveLength(expected.length);
  const scale = Math.max(0.1, ...Array.from(expected, Math.abs));
  let worst = 0;
  for (let i = 0; i < expected.length; i++) worst = Math.max(worst, Math.abs(found[i] - expected[i]) / scale);
  expect(worst).toBeLessThan(tolerance);
}

interface Case {
  x: number[];
  filters: number;
  kernel: number[];
  strides: number[];
  /** Zeros before; after, as many as the size of dy asks for. */
  before: number[];
  out: number[];
}

/** What TensorFlow pads with 'same', or nothing. */
function caseOf(x: number[], filters: number, kernel: number[], stride: number, pad: 'same' | 'valid'): Case {
  const space = x.slice(1, -1);
  const out = space.map((size, i) =>
    pad === 'same' ? Math.ceil(size / stride) : Math.floor((size - kernel[i]) / stride) + 1,
  );
  const before = space.map((size, i) =>
    pad === 'same' ? Math.max(0, (out[i] - 1) * stride + kernel[i] - size) >> 1 : 0,
  );
  return { x, filters, kernel, strides: kernel.map(() => stride), before, out };
}

/** The definition, in double: for every position, tap, channel and filter. */
function exactFilterGradient(
  { x, filters, kernel, strides, before, out }: Case,
  v: Float32Array,
  g: Float32Array,
) {
  const three = (sizes: number[], one: number): number[] =>
    sizes.length === 2 ? [sizes[0], one, sizes[1]] : sizes;
  const [n, k, s, p, o] = [
    three(x.slice(1, -1), 1),
    three(kernel, 1),
    three(strides, 1),
    three(before, 0),
    three(out, 1),
  ];
  const channels = x.at(-1)!;
  const result = new Float64Array(product(k) * channels * filters);
  for (let b = 0; b < x[0]; b++)
    for (let i = 0; i < product(o); i++) {
      const at = [Math.floor(i / (o[1] * o[2])), Math.floor(i / o[2]) % o[1], i % o[2]];
      for (let t = 0; t < product(k); t++) {
        const tap = [Math.floor(t / (k[1] * k[2])), Math.floor(t / k[2]) % k[1], t % k[2]];
        const from = at.map((a, j) => a * s[j] + tap[j] - p[j]);
        if (from.some((a, j) => a < 0 || a >= n[j])) continue;
        const voxel = ((b * n[0] + from[0]) * n[1] + from[1]) * n[2] + from[2];
        for (let c = 0; c < channels; c++)
          for (let f = 0; f < filters; f++)
            result[(t * channels + c) * filters + f] +=
              v[voxel * channels + c] * g[(b * product(o) + i) * filters + f];
      }
    }
  return result;
}

const CASES: Case[] = [
  caseOf([2, 9, 7, 5], 7, [3, 3], 1, 'same'),
  caseOf([2, 9, 7, 5], 20, [3, 3], 2, 'same'),
  caseOf([3, 8, 6, 4], 9, [3, 2], 2, 'valid'),
  caseOf([2, 17, 19, 33], 20, [3, 3], 1, 'same'),
  caseOf([3, 5, 11, 6], 41, [1, 1], 1, 'same'),
  caseOf([5, 31, 29, 13], 24, [1, 1], 1, 'valid'),
  caseOf([2, 6, 8, 3], 8, [1, 1], 2, 'same'),
  caseOf([2, 10, 8, 3], 17, [4, 4], 2, 'same'),
  caseOf([2, 13, 9, 2], 16, [7, 5], 2, 'valid'),
  // Larger than the memory that is padded at once.
  caseOf([2, 131, 37, 18], 3, [3, 3], 1, 'same'),
  caseOf([2, 7, 5, 6, 5], 9, [3, 3, 3], 1, 'same'),
  caseOf([2, 8, 6, 10, 3], 24, [4, 4, 4], 2, 'same'),
  caseOf([1, 9, 7, 5, 7], 33, [4, 4, 4], 2, 'same'),
  caseOf([3, 4, 3, 5, 17], 16, [2, 2, 2], 1, 'valid'),
  caseOf([2, 5, 4, 3, 6], 5, [1, 1, 1], 2, 'same'),
  caseOf([1, 34, 30, 26, 5], 6, [4, 4, 4], 2, 'same'),
  // Padding that neither name stands for.
  { x: [2, 6, 9, 4], filters: 10, kernel: [3, 3], strides: [1, 2], before: [2, 0], out: [8, 5] },
  {
    x: [1, 5, 6, 7, 3],
    filters: 4,
    kernel: [3, 1, 4],
    strides: [2, 1, 1],
    before: [1, 0, 3],
    out: [3, 6, 9],
  },
];

describe.skipIf(lacking !== undefined)('our operations (need voxface setup-node)', () => {
  beforeAll(async () => {
    await setupBackend('node');
  });

  it.each(CASES)(
    'filter and bias gradient of $x, kernel $kernel, strides $strides, $filters filters',
    (given) => {
      const { x, filters, kernel, strides, before, out } = given;
      const size = [x[0], ...out, filters];
      const volume = noise(product(x), 5);
      const gradient = noise(product(size), 6);
      const inputs = [tf.tensor(volume, x), tf.tensor(gradient, size)];
      const run = () => runNative(OWN_OPERATIONS.filterGradient, inputs, 2, [], { kernel, strides, before });
      const [filter, bias] = run();
      expect(filter.shape).toEqual([...kernel, x.at(-1), filters]);
      expect(bias.shape).toEqual([filters]);
      expectClose(filter.dataSync<'float32'>(), exactFilterGradient(given, volume, gradient), 5e-6);
      const sums = new Float64Array(filters);
      for (const [i, value] of gradient.entries()) sums[i % filters] += value;
      expectClose(bias.dataSync<'float32'>(), sums, 5e-6);
      const again = run();
      expect(again[0].dataSync<'float32'>()).toEqual(filter.dataSync<'float32'>());
      tf.dispose([inputs, filter, bias, again]);
    },
  );

  it('serve again after another backend was current', async () => {
    await setupBackend('cpu');
    await setupBackend('node');
    expect(native().hasOwnOperations).toBe(true);
  });

  it('refuses what is no gradient of a convolution', () => {
    const x = tf.ones([2, 3, 3, 1]);
    const other = tf.ones([3, 3, 3, 1]);
    const attributes = { kernel: [1, 1], strides: [1, 1], before: [0, 0] };
    expect(() => runNative(OWN_OPERATIONS.filterGradient, [x, other], 2, [], attributes)).toThrow(
      /x and dy must be batches/,
    );
    const short = { ...attributes, kernel: [1] };
    expect(() => runNative(OWN_OPERATIONS.filterGradient, [x, x], 2, [], short)).toThrow(
      /two or three numbers/,
    );
    tf.dispose([x, other]);
  });

  describe.each([
    { rows: 7, channels: 3, center: 0 },
    { rows: 1290, channels: 40, center: 2 },
    { rows: 2600, channels: 37, center: -300 },
  ])('normalization of $rows rows of $channels channels around $center', ({ rows, channels, center }) => {
    const EPSILON = 1e-3;
    const x = noise(rows * channels, 11).map((value, i) => value * (1 + (i % channels)) + center);
    const [scale, offset, oldMean, dy, other] = [12, 13, 14, 15, 16].map((seed, i) =>
      noise(i < 3 ? channels : rows * channels, seed),
    );
    const oldVariance = noise(channels, 17).map((value) => value + 2);
    const mean = new Float64Array(channels);
    const variance = new Float64Array(channels);
    for (let i = 0; i < x.length; i++) mean[i % channels] += x[i] / rows;
    for (let i = 0; i < x.length; i++) variance[i % channels] += (x[i] - mean[i % channels]) ** 2 / rows;
    const standard = (i: number): number =>
      (x[i] - mean[i % channels]) / Math.sqrt(variance[i % channels] + EPSILON);
    const exact = Float64Array.from(x, (_, i) => standard(i) * scale[i % channels] + offset[i % channels]);

    it('gives values and statistics', () => {
      const inputs = [
        tf.tensor(x, [rows, 1, channels]),
        ...[scale, offset, oldMean, oldVariance].map((v) => tf.tensor1d(v)),
      ];
      const attributes = { epsilon: EPSILON, share: 0.25 };
      for (const rectified of [false, true]) {
        const outputs = runNative(OWN_OPERATIONS.normalization, inputs, 5, [], { ...attributes, rectified });
        const [y, newMean, newVariance, ownMean, ownVariance] = outputs.map((t) => t.dataSync<'float32'>());
        // Distances of float32 values from a far center are as coarse as those.
        const tolerance = Math.max(1, Math.abs(center)) * 2e-6;
        expectClose(y, rectified ? exact.map((value) => Math.max(0, value)) : exact, tolerance);
        expectClose(ownMean, mean, 5e-6);
        expectClose(ownVariance, variance, 1e-5);
        expectClose(
          newMean,
          oldMean.map((old, c) => 0.75 * old + 0.25 * mean[c]),
          5e-6,
        );
        const unbiased = variance.map((value) => (value * rows) / (rows - 1));
        expectClose(
          newVariance,
          oldVariance.map((old, c) => 0.75 * old + 0.25 * unbiased[c]),
          1e-5,
        );
        tf.dispose(outputs);
      }
      tf.dispose(inputs);
    });

    it.each([
      { rectified: false, added: 0 },
      { rectified: true, added: 0 },
      { rectified: true, added: 1 },
    ])('is differentiated: ReLU after it $rectified, $added added', ({ rectified, added }) => {
      const shape = [rows, channels];
      const vectors = [scale, offset, Float32Array.from(mean), Float32Array.from(variance)];
      const inputs = [tf.tensor(dy, shape), tf.tensor(x, shape), ...vectors.map((v) => tf.tensor1d(v))];
      if (added) inputs.push(tf.tensor(other, shape));
      const outputs = runGradient(inputs, { epsilon: EPSILON, rectified, added });
      const passed = Float64Array.from(dy, (value, i) => (rectified && exact[i] <= 0 ? 0 : value));
      const offsetGradient = new Float64Array(channels);
      const scaleGradient = new Float64Array(channels);
      passed.forEach((value, i) => {
        offsetGradient[i % channels] += value;
        scaleGradient[i % channels] += value * standard(i);
      });
      const expected = passed.map((value, i) => {
        const c = i % channels;
        const common = (offsetGradient[c] + standard(i) * scaleGradient[c]) / rows;
        return (scale[c] / Math.sqrt(variance[c] + EPSILON)) * (value - common) + (added ? other[i] : 0);
      });
      const [dx, dscale, doffset] = outputs.map((t) => t.dataSync<'float32'>());
      const tolerance = Math.max(1, Math.abs(center)) * 5e-6;
      expectClose(dx, expected, tolerance);
      expectClose(dscale, scaleGradient, tolerance);
      expectClose(doffset, offsetGradient, tolerance);
      tf.dispose([inputs, outputs]);
    });
  });

  /** Two pre-activated convolutions with biases and a residual: all that a graph fuses. */
  const unit = (inputs: tf.Tensor[]) =>
    tf.tidy(() => {
      const [image, w1, b1, w2, b2, s1, o1, s2, o2, mean, variance] = inputs;
      const statistics: tf.Tensor[] = [];
      const part = (x: tf.Tensor, w: tf.Tensor, b: tf.Tensor, s: tf.Tensor, o: tf.Tensor): tf.Tensor => {
        const running = { mean: mean as tf.Tensor1D, variance: variance as tf.Tensor1D, momentum: 0.9 };
        const normalized: NormalizedBatch<tf.Tensor> = normalizeBatch(
          x,
          s as tf.Tensor1D,
          o as tf.Tensor1D,
          1e-5,
          running,
        );
        statistics.push(tf.keep(normalized.mean), tf.keep(normalized.variance));
        return tf.add(tf.conv2d(rectify(normalized.output) as tf.Tensor4D, w as tf.Tensor4D, 1, 'same'), b);
      };
      const { value, grads } = tf.valueAndGrads((x, v1, c1, v2, c2, f1, p1, f2, p2) => {
        const inner = part(part(x, v1, c1, f1, p1), v2, c2, f2, p2);
        return tf.sum(tf.mul(tf.square(tf.add(x, inner)), 0.01)) as tf.Scalar;
      })([image, w1, b1, w2, b2, s1, o1, s2, o2]);
      const results = [value, ...grads, ...statistics.map((t) => t.clone())];
      tf.dispose(statistics);
      return results;
    });

  const drawUnit = (seed: number) => {
    const shapes = [[2, 9, 7, 6], [3, 3, 6, 6], [6], [1, 1, 6, 6], [6], [6], [6], [6], [6], [6]];
    const drawn = shapes.map((shape, i) => tf.tensor(noise(product(shape), seed + i), shape));
    return [...drawn, tf.ones([6])];
  };

  it('become fewer in a graph, which gives what the tape and TensorFlow give', () => {
    const before = tf.memory();
    const first = drawUnit(40);
    const fs = process.getBuiltinModule('node:fs');
    const write = vi.spyOn(fs, 'writeFileSync');
    const { program, outputs } = recordGraph(first, () => unit(first));
    const graph = Buffer.from(write.mock.calls[0][1] as Uint8Array).toString('latin1');
    write.mockRestore();
    const count = (text: string): number => graph.split(text).length - 1;
    // Twice as operations, with the ReLUs in both.
    expect(count('\u0012\u0014VoxfaceNormalization')).toBe(2);
    expect(count('rectified')).toBe(4);
    expect(count('added')).toBe(1);
    expect(count('BiasAdd')).toBe(2);
    for (const gone of ['Relu', 'ReluGrad', 'BiasAddGrad', 'Conv2DBackpropFilter'])
      expect(count(gone)).toBe(0);
    for (const inputs of [first, drawUnit(70)]) {
      const taped = unit(inputs);
      native().hasOwnOperations = false;
      const plain = unit(inputs);
      native().hasOwnOperations = true;
      const found = program.run(inputs);
      for (const [i, tensor] of plain.entries()) {
        const expected = tensor.dataSync<'float32'>();
        expectClose(found[i].dataSync<'float32'>(), expected, 2e-5);
        expectClose(taped[i].dataSync<'float32'>(), expected, 2e-5);
      }
      const again = program.run(inputs);
      expect(again.map((t) => t.dataSync())).toEqual(found.map((t) => t.dataSync()));
      tf.dispose([taped, plain, found, again, inputs]);
    }
    program.dispose();
    tf.dispose(outputs);
    expect(tf.memory()).toMatchObject({
      numTensors: before.numTensors,
      numDataBuffers: before.numDataBuffers,
    });
  });

  it('are not fused where somebody else reads what lies between', () => {
    const inputs = drawUnit(90);
    const both = () =>
      tf.tidy(() => {
        const [x, , , , , scale, offset, , , mean, variance] = inputs;
        const running = { mean, variance, momentum: 0.9 } as never;
        const { output } = normalizeBatch(x, scale as tf.Tensor1D, offset as tf.Tensor1D, 1e-5, running);
        return [tf.relu(output), tf.neg(output)];
      });
    const { program, outputs } = recordGraph(inputs, both);
    const found = program.run(inputs);
    const expected = both();
    expected.forEach((tensor, i) => {
      expectClose(found[i].dataSync<'float32'>(), tensor.dataSync<'float32'>(), 1e-6);
    });
    expect(Math.max(...found[1].dataSync<'float32'>())).toBeGreaterThan(0.5);
    program.dispose();
    tf.dispose([inputs, outputs, found, expected]);
  });
});

/** The gradient with an integer among its attributes, which `runNative` has no use for elsewhere. */
function runGradient(
  inputs: tf.Tensor[],
  { epsilon, rectified, added }: { epsilon: number; rectified: boolean; added: number },
): tf.Tensor[] {
  const { binding } = native();
  const attributes = [
    { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: epsilon },
    { name: 'rectified', type: binding.TF_ATTR_BOOL, value: rectified },
    { name: 'added', type: binding.TF_ATTR_INT, value: added },
  ];
  return native().executeMultipleOutputs(OWN_OPERATIONS.normalizationGradient, attributes, inputs, 3);
}
