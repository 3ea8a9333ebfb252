import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { beforeAll, describe, expect, it } from 'vitest';
import { recordProgram, setupBackend } from '../src/index.ts';

beforeAll(() => setupBackend('wasm'));

const random = (shape: number[], seed: number, low = -1, high = 1): tf.Tensor =>
  tf.randomUniform(shape, low, high, 'float32', seed);

/** Conv3D k4 s2, bias, batch normalisation and leaky ReLU of [2, 5, 6, 7, 3], as the regressor's layers make them. */
function build() {
  const filter = random([4, 4, 4, 3, 10], 1) as tf.Tensor5D;
  const [bias, mean, offset, scale] = [2, 3, 4, 5].map((seed) => random([10], seed) as tf.Tensor1D);
  const variance = random([10], 6, 0.1, 2) as tf.Tensor1D;
  const compute = (x: tf.Tensor5D): tf.Tensor =>
    tf.tidy(() => {
      const sum = tf.add(tf.conv3d(x, filter, 2, 'same'), tf.reshape(bias, [1, 1, 1, 1, 10]));
      const [b, d, h, w, c] = sum.shape;
      const flat = tf.reshape(sum, [b, d * h, w, c]) as tf.Tensor4D;
      const normalized = tf.leakyRelu(tf.batchNorm(flat, mean, variance, offset, scale, 1e-3), 0.2);
      return tf.reshape(normalized, [b, d, h, w, c]);
    });
  return { compute, constants: [filter, bias, mean, offset, scale, variance] };
}

describe('programs on wasm', () => {
  it('fold what follows a 3D convolution, keep its packed weights, and free them', async () => {
    const { compute, constants } = build();
    const x = random([2, 5, 6, 7, 3], 7) as tf.Tensor5D;
    await tf.setBackend('cpu');
    const reference = compute(x);
    const expected = Array.from(await reference.data());
    reference.dispose();
    await tf.setBackend('wasm');
    const before = tf.memory();
    const { program, outputs } = recordProgram([x], () => [compute(x)], { fold: true });
    expect(program.length).toBe(1);
    for (let run = 0; run < 3; run++) {
      const [result] = program.run([x]);
      expect(result.shape).toEqual([2, 3, 3, 4, 10]);
      expect(Array.from(result.dataSync())).toEqual(expected.map((value) => expect.closeTo(value, 4)));
      result.dispose();
    }
    program.dispose();
    tf.dispose(outputs);
    expect(tf.memory()).toMatchObject({
      numTensors: before.numTensors,
      numDataBuffers: before.numDataBuffers,
    });
    tf.dispose([x, ...constants]);
  });

  it('see new weights in the same memory after the old ones are gone', () => {
    const x = random([1, 6, 7, 5], 8) as tf.Tensor4D;
    for (let round = 0; round < 4; round++) {
      const filter = random([3, 3, 5, 12], 20 + round) as tf.Tensor4D;
      const { program, outputs } = recordProgram([x], () => [tf.conv2d(x, filter, 1, 'same')]);
      program.run([x])[0].dispose();
      const [result] = program.run([x]);
      expect(Array.from(result.dataSync())).toEqual(Array.from(outputs[0].dataSync()));
      program.dispose();
      tf.dispose([filter, result, ...outputs]);
    }
    x.dispose();
  });

  it('do not take packed weights for those of another tensor after a visit to another backend', async () => {
    const x = random([1, 6, 7, 5], 9) as tf.Tensor4D;
    const filter = random([3, 3, 5, 12], 30) as tf.Tensor4D;
    const { program, outputs } = recordProgram([x], () => [tf.conv2d(x, filter, 1, 'same')]);
    program.run([x])[0].dispose();
    await tf.setBackend('cpu');
    // Moves the weights away: the place that they had on wasm goes to the next tensor of their size.
    tf.conv2d(x, filter, 1, 'same').dispose();
    const others = Array.from({ length: 4 }, (_, i) => random([3, 3, 5, 12], 40 + i) as tf.Tensor4D);
    const expected = others.map((other) => Array.from(tf.conv2d(x, other, 1, 'same').dataSync()));
    await tf.setBackend('wasm');
    others.forEach((other, i) => {
      const found = Array.from(tf.conv2d(x, other, 1, 'same').dataSync());
      expect(found).toEqual(expected[i].map((value) => expect.closeTo(value, 4)));
    });
    const [result] = program.run([x]);
    const recorded = Array.from(outputs[0].dataSync());
    expect(Array.from(result.dataSync())).toEqual(recorded.map((value) => expect.closeTo(value, 4)));
    program.dispose();
    tf.dispose([x, filter, result, ...others, ...outputs]);
  });
});
