import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { normalizeBatch, recordCommands } from '../src/index.ts';
import { openWebgpu } from './find-vulkan-driver.ts';

const { lacking, isSkipped } = await openWebgpu('kernels of webgpu');

/** Values in -1..1 that repeat on every backend. */
function noise(shape: number[], seed: number): tf.Tensor {
  let state = seed;
  const size = shape.reduce((product, side) => product * side, 1);
  const values = Float32Array.from({ length: size }, () => {
    state = (state * 1103515245 + 12345) % 2147483648;
    return state / 1073741824 - 1;
  });
  return tf.tensor(values, shape);
}

/** Runs on TensorFlow.js' cpu backend and on webgpu, and compares every tensor to its largest value. */
async function compare(compute: () => tf.Tensor[], limit = 1e-5): Promise<void> {
  const results: Float32Array[][] = [];
  for (const backend of ['cpu', 'webgpu']) {
    await tf.setBackend(backend);
    const tensors = tf.tidy(compute);
    results.push(await Promise.all(tensors.map((tensor) => tensor.data<'float32'>())));
    tf.dispose(tensors);
  }
  const [expected, found] = results;
  expect(found.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  expected.forEach((values, i) => {
    const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const worst = values.reduce((most, value, k) => Math.max(most, Math.abs(value - found[i][k])), 0);
    expect(worst / largest, `tensor ${i}`).toBeLessThan(limit);
  });
}

describe.skipIf(isSkipped)('kernels of webgpu against those of cpu', () => {
  beforeAll(() => {
    expect(lacking, 'VOXFACE_REQUIRE_WEBGPU is set: Chromium and libvulkan1 must be there').toBeUndefined();
  });

  // Larger than what is left to TensorFlow.js.
  const shapes: [string, number[], number[], number, 'same' | 'valid'][] = [
    ['a pointwise convolution whose gradient is split in parts', [5, 44, 42, 16], [1, 1, 16, 32], 1, 'same'],
    ['channels and filters that fill no tile', [7, 29, 23, 20], [3, 3, 20, 6], 1, 'same'],
    ['an image', [3, 61, 57, 3], [7, 7, 3, 16], 2, 'valid'],
    ['a volume of three channels', [2, 16, 12, 20, 3], [4, 4, 4, 3, 24], 2, 'same'],
    ['a volume that one kernel covers', [70, 4, 4, 4, 24], [4, 4, 4, 24, 40], 1, 'valid'],
  ];
  it.each(shapes)('convolve %s, forward and backward', async (_, input, filter, stride, pad) => {
    await compare(() => {
      const convolve = (x: tf.Tensor, w: tf.Tensor): tf.Tensor =>
        input.length === 4
          ? tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, stride, pad)
          : tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, stride, pad);
      const [x, w] = [noise(input, 1), noise(filter, 2)];
      const y = convolve(x, w);
      const bias = noise([y.shape.at(-1)!], 4) as tf.Tensor1D;
      const fused =
        input.length === 4
          ? [
              tf.fused.conv2d({
                x: x as tf.Tensor4D,
                filter: w as tf.Tensor4D,
                strides: stride,
                pad,
                bias,
              }),
            ]
          : [];
      return [y, ...tf.grads(convolve)([x, w], noise(y.shape, 3)), ...fused];
    });
  });

  it('normalize a batch far from zero, forward and backward', async () => {
    await compare(() => {
      const [scale, offset] = [noise([20], 5), noise([20], 6)] as tf.Tensor1D[];
      const x = tf.add(noise([3, 9, 7, 20], 7), 50);
      const { output, mean, variance } = normalizeBatch(x, scale, offset, 1e-5);
      const f = (a: tf.Tensor, b: tf.Tensor, c: tf.Tensor) =>
        normalizeBatch(a, b as tf.Tensor1D, c as tf.Tensor1D, 1e-5).output;
      return [tf.sub(output, offset), mean, variance, ...tf.grads(f)([x, scale, offset], noise(x.shape, 8))];
    }, 1e-3);
  });

  it('sum over all axes but the last', async () => {
    await compare(() => [tf.sum(noise([3, 40, 33, 5], 9), [0, 1, 2]), tf.sum(noise([7, 300], 10), 0)]);
  });
});

describe.skipIf(isSkipped)('recordCommands', () => {
  beforeAll(async () => {
    await tf.setBackend('webgpu');
  });

  const draw = (seed: number) => [noise([2, 9, 7, 3], seed), noise([3, 3, 3, 5], seed + 1)];

  it('computes values and gradients of new inputs bit by bit, and leaves nothing behind', async () => {
    const { numTensors, numDataBuffers } = tf.memory();
    const offset = tf.tensor1d([1, 2, 3, 4, 5]);
    const plainly = ([x, w]: tf.Tensor[]) =>
      tf.tidy(() => {
        const f = (a: tf.Tensor, b: tf.Tensor) => {
          const y = tf.relu(tf.add(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 2, 'same'), offset));
          return tf.sum(tf.square(tf.maxPool(y as tf.Tensor4D, 2, 1, 'valid'))) as tf.Scalar;
        };
        const { value, grads } = tf.valueAndGrads(f)([x, w]);
        return [value, ...grads, tf.ones([2, 3]), tf.mul(x, 1), value];
      });
    const take = async (tensors: tf.Tensor[]) => {
      const values = await Promise.all(tensors.map(async (tensor) => [...(await tensor.data())]));
      tf.dispose(tensors);
      return values;
    };
    const first = draw(3);
    const { program, outputs } = recordCommands(first, () => plainly(first));
    expect(program.length).toBeGreaterThan(5);
    expect(await take(outputs)).toEqual(await take(plainly(first)));
    // On the host, on the device, and the recorded ones again.
    const onHost = draw(5);
    const onDevice = tf.tidy(() => draw(8).map((tensor) => tf.mul(tensor, 1)));
    for (const inputs of [onHost, onDevice, first]) {
      expect(await take(program.run(inputs))).toEqual(await take(plainly(inputs)));
    }
    expect(() => program.run(first.slice(1))).toThrow(/expected 2 inputs/);
    program.dispose();
    expect(() => program.run(first)).toThrow(/was disposed/);
    tf.dispose([...first, ...onHost, ...onDevice, offset]);
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers });
  });

  it('leaves the tensors of the recording alone, also where the function assigns to a variable', async () => {
    const variable = tf.variable(tf.tensor1d([1, 2, 3]));
    const kept = variable.clone();
    const x = tf.tensor1d([10, 20, 30]);
    const { program, outputs } = recordCommands([variable, x], () => {
      variable.assign(tf.add(variable, x));
      return [tf.mul(variable, 2), variable];
    });
    const [, moved] = outputs;
    variable.assign(moved as tf.Tensor1D);
    expect([...(await variable.data())]).toEqual([11, 22, 33]);
    const ones = tf.tensor1d([1, 1, 1]);
    const second = program.run([variable, ones]);
    expect([...(await second[0].data())]).toEqual([24, 46, 68]);
    expect([...(await kept.data())]).toEqual([1, 2, 3]);
    expect([...(await x.data())]).toEqual([10, 20, 30]);
    program.dispose();
    tf.dispose([...outputs, ...second, kept, ones, x, variable]);
  });

  it('is refused on other backends', async () => {
    await tf.setBackend('cpu');
    const x = tf.scalar(1);
    expect(() => recordCommands([x], () => [tf.add(x, 1)])).toThrow(/the current backend is not webgpu/);
    x.dispose();
    await tf.setBackend('webgpu');
  });
});
