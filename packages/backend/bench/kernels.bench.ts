import * as tf from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { bench, describe } from 'vitest';

/**
 * Speed of the convolutions that training runs most, on wasm with one thread. Run with `vitest bench --run packages/backend`;
 * `scripts/backend/measure-kernels.mts` prints the same as shares of the backend's own 3x3 convolution.
 */
await setupBackend('wasm');

const run = (kernel: string, inputs: object, attributes: object): void => {
  tf.tidy(() => {
    tf.engine().runKernel(kernel, inputs as tf.NamedTensorMap, attributes as tf.NamedAttrMap);
  });
};

describe('conv2d 128 -> 128 channels at 64x64', () => {
  const x = tf.randomNormal([1, 64, 64, 128]);
  for (const size of [3, 1]) {
    const filter = tf.randomNormal([size, size, 128, 128]);
    const attributes = { strides: 1, pad: 'same', dataFormat: 'NHWC', dilations: 1 };
    bench(`${size}x${size} forward`, () => run('Conv2D', { x, filter }, attributes));
    bench(`${size}x${size} input gradient`, () =>
      run('Conv2DBackpropInput', { dy: x, filter }, { ...attributes, inputShape: x.shape }),
    );
    bench(`${size}x${size} filter gradient`, () =>
      run('Conv2DBackpropFilter', { x, dy: x }, { ...attributes, filterShape: filter.shape }),
    );
  }
});

for (const [size, from, to] of [
  [64, 6, 64],
  [32, 64, 128],
]) {
  describe(`conv3d k4 s2 ${from} -> ${to} channels at ${size}^3`, () => {
    const half = size / 2;
    const x = tf.randomNormal([1, size, size, size, from]);
    const filter = tf.randomNormal([4, 4, 4, from, to]);
    const dy = tf.randomNormal([1, half, half, half, to]);
    const attributes = { strides: 2, pad: 'same', dataFormat: 'NDHWC', dilations: 1 };
    bench('forward', () => run('Conv3D', { x, filter }, attributes));
    bench('input gradient', () =>
      run('Conv3DBackpropInputV2', { dy, filter }, { ...attributes, inputShape: x.shape }),
    );
    bench('filter gradient', () =>
      run('Conv3DBackpropFilterV2', { x, dy }, { ...attributes, filterShape: filter.shape }),
    );
  });
}
