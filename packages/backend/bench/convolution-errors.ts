/**
 * Errors of 3x3 convolutions on wasm against a computation in 64 bits, root mean square over root mean square: by Winograd's kernels, and
 * by the direct ones, which a column of zeros more leads to.
 *
 *     node --conditions=voxface-source --import tsx packages/backend/bench/convolution-errors.ts [CHANNELS] [SIZE]
 */
import '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';

const [channels = 64, size = 32] = process.argv.slice(2).map(Number);
await setupBackend('wasm');
const shape: [number, number, number, number] = [1, size, size, channels];
const x = tf.relu(tf.randomNormal(shape, 0, 1, 'float32', 1));
const filter = tf.randomNormal([3, 3, channels, channels], 0, Math.sqrt(2 / (9 * channels)), 'float32', 2);
const dy = tf.randomNormal(shape, 0, 1, 'float32', 3);
const [input, weights, gradient] = await Promise.all([x, filter, dy].map((tensor) => tensor.data()));
const exact = [input, input, weights].map(({ length }) => new Float64Array(length));
for (let pixel = 0; pixel < size * size; pixel++) {
  for (let tap = 0; tap < 9; tap++) {
    const row = Math.floor(pixel / size) + Math.floor(tap / 3) - 1;
    const column = (pixel % size) + (tap % 3) - 1;
    if (row < 0 || column < 0 || row >= size || column >= size) continue;
    for (let c = 0; c < channels; c++) {
      const from = (row * size + column) * channels + c;
      for (let n = 0; n < channels; n++) {
        const [to, weight] = [pixel * channels + n, (tap * channels + c) * channels + n];
        exact[0][to] += input[from] * weights[weight];
        exact[1][from] += gradient[to] * weights[weight];
        exact[2][weight] += gradient[to] * input[from];
      }
    }
  }
}

const winograd = await errors(0);
const direct = await errors(1);
console.log('| 3x3 convolution | Winograd | direct |\n| --- | --- | --- |');
for (const [i, name] of ['forward', 'input gradient', 'filter gradient'].entries())
  console.log(`| ${name} | ${winograd[i].toExponential(1)} | ${direct[i].toExponential(1)} |`);

/** Of the output, the input's gradient and the filter's, with that many columns of zeros more. */
async function errors(more: number): Promise<number[]> {
  const widen = <T extends tf.Tensor>(t: T): T =>
    tf.pad(t, [...t.shape.slice(1).map((): [number, number] => [0, 0]), [0, more]]) as T;
  const narrow = (t: tf.Tensor): tf.Tensor => tf.slice(t, [0, 0, 0, 0], [...t.shape.slice(0, 3), channels]);
  const convolve = (a: tf.Tensor, b: tf.Tensor): tf.Tensor =>
    tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 'same');
  const wide = widen(filter);
  const [dx, dw] = tf.grads(convolve)([x, wide], widen(dy));
  const results = await Promise.all(
    [narrow(convolve(x, wide)), dx, narrow(dw)].map((t) => t.data<'float32'>()),
  );
  return results.map((values, k) => {
    const squares = values.reduce((sum, value, i) => sum + (value - exact[k][i]) ** 2, 0);
    return Math.sqrt(squares / exact[k].reduce((sum, value) => sum + value * value, 0));
  });
}
