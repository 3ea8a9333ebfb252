import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { describeBackends, expectClose, expectGradient, expectNoLeak, maxDifference } from '../src/index.ts';
import { readGolden } from '../src/node.ts';

describe('expectClose', () => {
  it('names the first and the worst failing index with both values', () => {
    expect(() => expectClose([1, 2.5, 3, 9], [1, 2, 3, 4])).toThrow(
      'expectClose: 2 of 4 values differ by more than 0.000001 + 0.00001 |expected|; first [1] got 2.5, expected 2; worst [3] got 9, expected 4',
    );
  });

  it('refuses NaN, infinite differences and other lengths, accepts equal NaN and equal infinities', () => {
    expect(() => expectClose([Number.NaN], [1])).toThrow('[0] got NaN, expected 1');
    expect(() => expectClose([1], [Number.NaN])).toThrow('[0] got 1, expected NaN');
    expect(() => expectClose([1], [Infinity])).toThrow('[0] got 1, expected Infinity');
    expect(() => expectClose([1], [1, 2])).toThrow('expected 2 values, got 1');
    expectClose([Number.NaN, Infinity], [Number.NaN, Infinity]);
    expect(maxDifference([1, 2], [1, 2.5])).toBe(0.5);
    expect(maxDifference([1, Number.NaN], [1, 2])).toBeNaN();
  });
});

await describeBackends('tensor helpers', [{ name: 'cpu', required: true }], () => {
  it('accepts a right gradient and refuses a wrong one', async () => {
    const x = tf.tensor1d([0.5, -0.3, 0.8]);
    await expectGradient((value) => tf.sum(tf.square(value)), [x]);
    const wrong = tf.customGrad((value, save) => {
      (save as tf.GradSaveFunc)([value as tf.Tensor]);
      return {
        value: tf.square(value as tf.Tensor),
        gradFunc: (dy, saved) => tf.mul(dy, tf.mul(saved[0], 3)),
      };
    });
    await expect(expectGradient((value) => tf.sum(wrong(value)), [x])).rejects.toThrow(
      /expectGradient: input 0 \[3\], element 0: gradient 1\.5.*central difference (1\.0|0\.99)/,
    );
    x.dispose();
  });

  it('counts tensors that stay behind', async () => {
    await expectNoLeak(() => tf.zeros([2]).dispose());
    await expect(expectNoLeak(() => tf.zeros([2]))).rejects.toThrow(
      '1 tensors and 8 bytes stay behind per run',
    );
  });
});

describe('describeBackends', () => {
  it('fails where a required backend is missing', async () => {
    await expect(describeBackends('nothing', [{ name: 'abacus', required: true }], () => {})).rejects.toThrow(
      'describeBackends: abacus is required',
    );
    await tf.setBackend('cpu');
  });
});

describe('readGolden', () => {
  it('refuses files that do not name their script', () => {
    expect(() => readGolden(import.meta.url, 'anonymous')).toThrow('must name its script and versions');
  });
});
