import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { setupBackend } from '../src/index.ts';

interface Case {
  input: number[];
  filter: number[];
  strides: number;
  pad: 'same' | 'valid';
}

const cases2D: Case[] = [];
for (const kernel of [1, 2, 3, 4, 5, 7]) {
  for (const strides of [1, 2]) {
    for (const pad of ['same', 'valid'] as const) {
      cases2D.push({ input: [2, 11, 8, 3], filter: [kernel, kernel, 3, 5], strides, pad });
      cases2D.push({ input: [1, 9, 10, 8], filter: [kernel, kernel, 8, 16], strides, pad });
    }
  }
}
// The backend's own forward pass is wrong where the kernel is smaller than the stride; ours is registered for it.
cases2D.push({ input: [3, 21, 17, 12], filter: [3, 1, 12, 9], strides: 3, pad: 'same' });

const cases3D: Case[] = [];
for (const kernel of [1, 2, 3, 4]) {
  for (const strides of [1, 2]) {
    for (const pad of ['same', 'valid'] as const) {
      cases3D.push({ input: [2, 5, 8, 7, 3], filter: [kernel, kernel, kernel, 3, 6], strides, pad });
      cases3D.push({ input: [1, 4, 6, 4, 8], filter: [kernel, kernel, kernel, 8, 8], strides, pad });
    }
  }
}

/** Outputs and gradients of a convolution with random input, filter and output gradient, on one backend. */
async function evaluate(backend: string, c: Case): Promise<Float32Array[]> {
  await tf.setBackend(backend);
  const conv = (x: tf.Tensor, w: tf.Tensor) =>
    c.input.length === 4
      ? tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, c.strides, c.pad)
      : tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, c.strides as 1, c.pad);
  const results = tf.tidy(() => {
    const x = tf.randomNormal(c.input, 0, 1, 'float32', 1);
    const w = tf.randomNormal(c.filter, 0, 1, 'float32', 2);
    const y = conv(x, w);
    const dy = tf.randomNormal(y.shape, 0, 1, 'float32', 3);
    return [y, ...tf.grads(conv)([x, w], dy)];
  });
  const values = await Promise.all(results.map((tensor) => tensor.data() as Promise<Float32Array>));
  tf.dispose(results);
  return values;
}

function relativeError(actual: Float32Array, expected: Float32Array): number {
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(actual[i] - expected[i]));
    scale = Math.max(scale, Math.abs(expected[i]));
  }
  return difference / scale;
}

describe('convolutions on wasm agree with cpu', () => {
  beforeAll(async () => {
    await setupBackend('cpu');
    await setupBackend('wasm');
  });

  for (const c of [...cases2D, ...cases3D]) {
    it(`${c.input} * ${c.filter}, stride ${c.strides}, ${c.pad}`, async () => {
      const expected = await evaluate('cpu', c);
      const actual = await evaluate('wasm', c);
      for (const [index, part] of ['output', 'input gradient', 'filter gradient'].entries()) {
        expect(actual[index].length, part).toBe(expected[index].length);
        expect(relativeError(actual[index], expected[index]), part).toBeLessThan(1e-5);
      }
    });
  }
});
