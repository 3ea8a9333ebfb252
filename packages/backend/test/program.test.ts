import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordProgram, setupBackend } from '../src/index.ts';

let tensors = 0;
beforeAll(() => setupBackend('cpu'));
beforeEach(() => {
  tensors = tf.memory().numTensors;
});
afterEach(() => {
  expect(tf.memory().numTensors, 'tensors left').toBe(tensors);
});

const values = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync());

describe('recordProgram', () => {
  it('computes anew from new inputs, with the constants of the recording', () => {
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
    const { program, outputs } = recordProgram([x], () => [
      tf.add(tf.matMul(x, tf.ones([3, 1])), 10),
      tf.sum(x),
    ]);
    expect(outputs.map(values)).toEqual([[16, 25], [21]]);
    const y = tf.tensor2d([1, 1, 1, 0, 0, 2], [2, 3]);
    for (let run = 0; run < 3; run++) {
      const results = program.run([y]);
      expect(results.map(values)).toEqual([[13, 12], [5]]);
      expect(results[0].shape).toEqual([2, 1]);
      tf.dispose(results);
    }
    program.dispose();
    tf.dispose([x, y, ...outputs]);
  });

  it('leaves out what no output needs, and what only renames a tensor', () => {
    const x = tf.tensor1d([1, 2, 3, 4, 5, 6]);
    const { program, outputs } = recordProgram([x], () => {
      tf.sum(tf.exp(x));
      return [tf.square(tf.clone(tf.reshape(x, [2, 3])))];
    });
    expect(program.length).toBe(1);
    const [result] = program.run([x]);
    expect(result.shape).toEqual([2, 3]);
    expect(values(result)).toEqual([1, 4, 9, 16, 25, 36]);
    program.dispose();
    tf.dispose([x, result, ...outputs]);
  });

  it('gives views of inputs, constants and one result out as tensors of their own', () => {
    const x = tf.tensor1d([3, 4]);
    const constant = tf.tensor1d([7]);
    const { program, outputs } = recordProgram([x], () => {
      const double = tf.mul(x, 2);
      return [x, constant, double, tf.reshape(double, [2, 1]), tf.reshape(x, [1, 2])];
    });
    constant.dispose();
    tf.dispose(outputs);
    const results = program.run([x]);
    tf.dispose(results.slice(0, 3));
    expect(values(results[3])).toEqual([6, 8]);
    expect(results[4].shape).toEqual([1, 2]);
    expect(values(x)).toEqual([3, 4]);
    const again = program.run([x]);
    expect(values(again[1])).toEqual([7]);
    program.dispose();
    tf.dispose([x, ...results, ...again]);
  });

  it('records gradients and assignments to variables', () => {
    const start = tf.tensor1d([1, -2]);
    const w = tf.variable(start);
    const x = tf.tensor1d([3, 5]);
    const step = (): tf.Tensor[] => {
      const { grads } = tf.variableGrads(() => tf.sum(tf.square(tf.mul(w, x))) as tf.Scalar, [w]);
      w.assign(tf.sub(w, tf.mul(grads[w.name], 0.01)));
      return [w];
    };
    const { program, outputs } = recordProgram([w, x], step);
    // d/dw (w x)^2 = 2 w x^2: (1 - 0.18, -2 + 1).
    expect(values(w)).toEqual([expect.closeTo(0.82, 6), expect.closeTo(-1, 6)]);
    const [next] = program.run([w, x]);
    expect(values(next)).toEqual([expect.closeTo(0.82 ** 2, 6), expect.closeTo(-0.5, 6)]);
    program.dispose();
    tf.dispose([start, w, x, next, ...outputs]);
  });

  it('refuses to record reads, other shapes and runs after dispose', () => {
    const x = tf.tensor1d([1, 2]);
    expect(() => recordProgram([x], () => [tf.mul(x, x.dataSync()[0])])).toThrow(/must not be read/);
    const { program, outputs } = recordProgram([x], () => [tf.square(x)]);
    const long = tf.tensor1d([1, 2, 3]);
    expect(() => program.run([long])).toThrow(
      /expected 1 inputs, the 1th float32\[2\], got 1 and float32\[3\]/,
    );
    expect(() => program.run([])).toThrow(RangeError);
    program.dispose();
    expect(() => program.run([x])).toThrow(/was disposed/);
    tf.dispose([x, long, ...outputs]);
  });

  it('refuses tensors that come from no kernel', () => {
    const x = tf.tensor1d([1, 2]);
    const host = tf.backend();
    const unseen = (): tf.Tensor => {
      const dataId = {};
      host.move(dataId, new Float32Array([1, 2]), [2], 'float32', 1);
      return tf.engine().makeTensorFromTensorInfo({ dataId, shape: [2], dtype: 'float32' });
    };
    expect(() => recordProgram([x], () => [tf.add(x, unseen())])).toThrow(/must come from a kernel/);
    x.dispose();
  });
});

describe('recordProgram with fold', () => {
  const random = (shape: number[], seed: number, low = -1, high = 1): tf.Tensor =>
    tf.randomUniform(shape, low, high, 'float32', seed);

  /** A 2D convolution, a batch normalisation with given statistics, a ReLU: of [2, 5, 7, 3]. */
  function build({ withBias }: { withBias: boolean }) {
    const filter = random([3, 2, 3, 4], 1) as tf.Tensor4D;
    const bias = withBias ? (random([4], 2) as tf.Tensor1D) : undefined;
    const [mean, offset, scale] = [3, 4, 5].map((seed) => random([4], seed) as tf.Tensor1D);
    const variance = random([4], 6, 0.1, 2) as tf.Tensor1D;
    const convolve = (x: tf.Tensor4D) =>
      bias
        ? tf.fused.conv2d({ x, filter, bias, strides: [2, 1], pad: 'same', activation: 'linear' })
        : tf.conv2d(x, filter, [2, 1], 'same');
    const normalize = (x: tf.Tensor4D) => tf.batchNorm(x, mean, variance, offset, scale, 1e-3);
    const constants = [filter, mean, offset, scale, variance, ...(bias ? [bias] : [])];
    return { convolve, normalize, constants };
  }

  it.each([true, false])('makes one call of convolution, normalisation and ReLU (bias %s)', (withBias) => {
    const { convolve, normalize, constants } = build({ withBias });
    const x = random([2, 5, 7, 3], 7) as tf.Tensor4D;
    const { program, outputs } = recordProgram([x], () => [tf.relu(normalize(convolve(x)))], { fold: true });
    expect(program.length).toBe(1);
    const [result] = program.run([x]);
    const expected = values(outputs[0]);
    expect(expected.some((value) => value === 0) && expected.some((value) => value > 0.5)).toBe(true);
    expect(values(result)).toEqual(expected.map((value) => expect.closeTo(value, 5)));
    program.dispose();
    tf.dispose([x, result, ...outputs, ...constants]);
  });

  it('keeps what something else reads, and normalisations of inputs', () => {
    const { convolve, normalize, constants } = build({ withBias: true });
    const x = random([2, 5, 7, 3], 8) as tf.Tensor4D;
    const statistics = random([4], 9) as tf.Tensor1D;
    const { program, outputs } = recordProgram(
      [x, statistics],
      () => {
        const raw = convolve(x);
        const moved = convolve(tf.mul(x, 2));
        return [raw, tf.relu(normalize(raw)), tf.batchNorm(moved, statistics, tf.ones([4]))];
      },
      { fold: true },
    );
    // Two convolutions, the doubling, two normalisations and a ReLU.
    expect(program.length).toBe(6);
    const results = program.run([x, statistics]);
    expect(results.map(values)).toEqual(outputs.map(values));
    program.dispose();
    tf.dispose([x, statistics, ...results, ...outputs, ...constants]);
  });

  it('folds no statistic that a convolution made', () => {
    const [x, filter] = [random([1, 1, 1, 3], 11) as tf.Tensor4D, random([1, 1, 3, 4], 12) as tf.Tensor4D];
    const y = random([2, 3, 2, 4], 13) as tf.Tensor4D;
    const [mean, variance] = [random([4], 14), random([4], 15, 0.5, 1)] as tf.Tensor1D[];
    const { program, outputs } = recordProgram(
      [x],
      () => [
        tf.batchNorm(y, mean, variance, tf.reshape(tf.conv2d(x, filter, 1, 'same'), [4]) as tf.Tensor1D),
      ],
      { fold: true },
    );
    const [result] = program.run([x]);
    expect(values(result)).toEqual(values(outputs[0]));
    program.dispose();
    tf.dispose([x, filter, y, mean, variance, result, ...outputs]);
  });
});
