import * as tf from '@tensorflow/tfjs-core';
import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { expectClose } from '@voxface/test-utils';
import { beforeAll, describe, expect, it } from 'vitest';
import { accelerateTraining, setupBackend } from '../src/index.ts';
import { convolveRepeated } from '../src/training/convolve-repeated.ts';

beforeAll(async () => {
  await setupBackend('cpu');
});

/** Sums of up to a thousand products in single precision. */
const CLOSE = { absolute: 3e-4, relative: 1e-4 };

const draw = (shape: number[], seed: number) => tf.randomNormal(shape, 0, 1, 'float32', seed);

/** [b, h, w, c] at each of d slices: [b, h, w, d, c]. */
const repeat = (plane: tf.Tensor, depth: number) => tf.stack(new Array<tf.Tensor>(depth).fill(plane), 3);

describe.each([
  [4, 2, 'same', 6],
  [3, 1, 'same', 4],
  [3, 2, 'valid', 7],
  [2, 1, 'valid', 2],
] as const)('kernel %i, stride %i, %s, %i slices', (k, stride, padding, depth) => {
  it('convolveRepeated has values and gradients of the convolution of the joined volume', () => {
    const volume = draw([2, 8, 6, depth, 3], 1);
    const plane = draw([2, 8, 6, 2], 2);
    const filter = draw([k, k, k, 5, 4], 3);
    const bias = draw([4], 4);
    const direct = (v: tf.Tensor, p: tf.Tensor, w: tf.Tensor, b: tf.Tensor): tf.Tensor =>
      tf.add(
        tf.conv3d(tf.concat([repeat(p, depth), v], 4) as tf.Tensor5D, w as tf.Tensor5D, stride, padding),
        b,
      );
    const apart = (v: tf.Tensor, p: tf.Tensor, w: tf.Tensor, b: tf.Tensor): tf.Tensor =>
      convolveRepeated(
        [{ plane: p as tf.Tensor4D }, { volume: v as tf.Tensor5D }],
        depth,
        w as tf.Tensor5D,
        b as tf.Tensor1D,
        stride,
        padding,
      );
    const expected = direct(volume, plane, filter, bias);
    const weights = draw(expected.shape, 5);
    expectClose(apart(volume, plane, filter, bias).dataSync(), expected.dataSync(), CLOSE);
    const through = (f: typeof direct) =>
      tf.grads((...given: tf.Tensor[]) => {
        const [v, p, w, b] = given;
        return tf.sum(tf.mul(f(v, p, w, b), weights));
      })([volume, plane, filter, bias]);
    const own = through(apart);
    through(direct).forEach((gradient, i) => {
      expectClose(own[i].dataSync(), gradient.dataSync(), CLOSE);
    });
  });
});

it('accelerateTraining finds planes that are repeated along depth and joined to a volume', () => {
  const volume = input({ shape: [6, 4, 8, 3] });
  const plane = input({ shape: [6, 4, 2] });
  const apply = (
    layer: { apply(x: SymbolicTensor | SymbolicTensor[]): unknown },
    x: SymbolicTensor | SymbolicTensor[],
  ) => layer.apply(x) as SymbolicTensor;
  const flat = apply(layers.reshape({ targetShape: [24, 1, 2] }), plane);
  const tiled = apply(layers.upSampling2d({ size: [1, 8] }), flat);
  const repeated = apply(layers.reshape({ targetShape: [6, 4, 8, 2] }), tiled);
  const joined = apply(layers.concatenate({ axis: -1 }), [volume, repeated]);
  const convolution = layers.conv3d({ filters: 5, kernelSize: 4, strides: 2, padding: 'same' });
  const network = model({ inputs: [volume, plane], outputs: apply(convolution, joined) });
  const inputs = [draw([2, 6, 4, 8, 3], 6), draw([2, 6, 4, 2], 7)];
  const expected = network.apply(inputs) as tf.Tensor;
  accelerateTraining(network);
  const seen: number[][] = [];
  const { kernelFunc } = tf.getKernel('Conv3D', 'cpu');
  tf.unregisterKernel('Conv3D', 'cpu');
  tf.registerKernel({
    kernelName: 'Conv3D',
    backendName: 'cpu',
    kernelFunc: (given) => {
      seen.push((given.inputs.x as tf.Tensor).shape);
      return kernelFunc(given);
    },
  });
  const found = network.apply(inputs, { training: true }) as tf.Tensor;
  expectClose(found.dataSync(), expected.dataSync(), CLOSE);
  expect(seen).toEqual([[2, 6, 4, 8, 3]]);
  tf.unregisterKernel('Conv3D', 'cpu');
  tf.registerKernel({ kernelName: 'Conv3D', backendName: 'cpu', kernelFunc });
});
