import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { normalizeBatch, normalizeWith, setupBackend, upsample3d } from '../src/index.ts';

beforeAll(async () => {
  await setupBackend('cpu');
});

describe('upsample3d', () => {
  it('repeats every voxel along each axis', () => {
    const volume = tf.tensor5d([1, 2, 3, 4], [1, 2, 1, 1, 2]);
    const output = upsample3d(volume, [2, 1, 2]);
    expect(output.shape).toEqual([1, 4, 1, 2, 2]);
    expect(Array.from(output.dataSync())).toEqual([1, 2, 1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4, 3, 4]);
  });

  it('sums the gradient over the copies', () => {
    const gradient = tf.grad((x) => tf.sum(upsample3d(x as tf.Tensor5D, [2, 3, 4])))(
      tf.ones([1, 2, 2, 2, 1]),
    );
    expect(Array.from(gradient.dataSync())).toEqual(new Array(8).fill(24));
  });

  it('refuses broken factors', () => {
    expect(() => upsample3d(tf.zeros([1, 1, 1, 1, 1]), [2, 0, 1])).toThrow(
      'upsample3d: factors must be positive',
    );
  });
});

describe('normalizeBatch', () => {
  const values = [1, 10, 3, 30, 5, 20, 7, 60];

  it('gives zero mean, unit variance, and the statistics, at rank 5', () => {
    const x = tf.tensor5d(values, [1, 2, 1, 2, 2]);
    const { output, mean, variance } = normalizeBatch(x, tf.tensor1d([1, 2]), tf.tensor1d([0, 3]), 0);
    expect(Array.from(mean.dataSync())).toEqual([4, 30]);
    expect(variance.dataSync()[0]).toBeCloseTo(5, 5);
    expect(variance.dataSync()[1]).toBeCloseTo(350, 3);
    const [first, second] = [(1 - 4) / Math.sqrt(5), (2 * (10 - 30)) / Math.sqrt(350) + 3];
    expect(output.dataSync()[0]).toBeCloseTo(first, 5);
    expect(output.dataSync()[1]).toBeCloseTo(second, 5);
  });

  it('leaves nothing behind', () => {
    const [x, scale, offset] = [
      tf.tensor2d(values, [4, 2]),
      tf.ones([2]) as tf.Tensor1D,
      tf.zeros([2]) as tf.Tensor1D,
    ];
    const before = tf.memory().numTensors;
    const gradients = tf.grads((a: tf.Tensor, b: tf.Tensor, c: tf.Tensor) =>
      tf.sum(tf.square(normalizeBatch(a, b as tf.Tensor1D, c as tf.Tensor1D).output)),
    )([x, scale, offset]);
    tf.dispose(gradients);
    expect(tf.memory().numTensors).toBe(before);
  });

  it('agrees with normalizeWith under its own statistics', () => {
    const x = tf.tensor2d(values, [4, 2]);
    const [scale, offset] = [tf.tensor1d([2, 3]), tf.tensor1d([1, -1])];
    const batch = normalizeBatch(x, scale, offset);
    const given = normalizeWith(x, batch.mean, batch.variance, scale, offset);
    const difference = tf.max(tf.abs(tf.sub(batch.output, given))).dataSync()[0];
    expect(difference).toBeLessThan(1e-6);
  });
});
