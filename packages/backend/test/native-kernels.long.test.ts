import { existsSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { runConformance, summarizeConformance } from '../src/conformance.ts';
import { setupBackend } from '../src/index.ts';
import { NATIVE_KERNELS } from '../src/native/native-kernels.ts';
import type { NativeBackend } from '../src/native/run-native.ts';
import { defaultCacheDirectory } from '../src/setup-node.ts';

const loaded = existsSync(defaultCacheDirectory())
  ? await setupBackend('node').catch((error: Error) => error)
  : new Error(`nothing in ${defaultCacheDirectory()} (voxface setup-node builds it)`);
const lacking = loaded instanceof Error ? loaded.message : undefined;
if (lacking !== undefined) console.log(`native backend SKIPPED: ${lacking}`);

type Gradient = (x: tf.Tensor) => tf.Tensor;

/** What a function gives on the current backend. */
function values(run: Gradient, x: tf.Tensor): Float32Array {
  return tf.tidy(() => run(x).dataSync<'float32'>().slice());
}

describe.skipIf(lacking !== undefined)('the native backend (needs voxface setup-node)', () => {
  const poolGradient: Gradient = (x) =>
    tf.grad((image: tf.Tensor) => tf.mul(tf.maxPool(image as tf.Tensor4D, 3, 2, 'same'), 2))(x);

  /** Gradients of a weighted sum of a convolution of kernel 4 and stride 2. */
  const volumeGradients = (x: tf.Tensor) =>
    tf.tidy(() => {
      const filter = tf.randomNormal([4, 4, 4, 3, 5], 0, 1, 'float32', 6);
      const weights = tf.randomNormal([2, 3, 2, 4, 5], 0, 1, 'float32', 7);
      const [input, filters] = tf.grads((a: tf.Tensor, w: tf.Tensor) =>
        tf.sum(tf.mul(tf.conv3d(a as tf.Tensor5D, w as tf.Tensor5D, 2, 'same'), weights)),
      )([x, filter]);
      return { input, filters };
    });

  it('folds the strides of 3D gradients into channels', async () => {
    const read = () => {
      const x = tf.randomNormal([2, 6, 4, 8, 3], 0, 1, 'float32', 5);
      const { input, filters } = volumeGradients(x);
      return [input, filters].map((tensor) => [...tensor.dataSync<'float32'>()]);
    };
    await setupBackend('cpu');
    const expected = read();
    await setupBackend('node');
    const native = tf.backend() as unknown as Record<string, (...args: unknown[]) => unknown>;
    const spy = vi.spyOn(native, 'executeSingleOutput');
    // Our own operation needs no folding.
    const state = tf.backend() as unknown as NativeBackend;
    const { hasOwnOperations } = state;
    state.hasOwnOperations = false;
    const found = read();
    state.hasOwnOperations = hasOwnOperations;
    const shapes = spy.mock.calls
      .filter(([name]) => String(name).startsWith('Conv3DBackprop'))
      .map(([, , tensors]) => (tensors as tf.Tensor[]).map(({ shape }) => shape));
    spy.mockRestore();
    // Blocks of 2x2x2 voxels of three channels.
    expect(shapes.flat()).toContainEqual([2, 2, 2, 24, 5]);
    expect(shapes.flat()).toContainEqual([2, 4, 3, 5, 24]);
    expected.forEach((values, i) => {
      expect(found[i]).toHaveLength(values.length);
      values.forEach((value, k) => {
        expect(Math.abs(found[i][k] - value)).toBeLessThan(1e-4 * (1 + Math.abs(value)));
      });
    });
  });

  it('passes the conformance suite', async () => {
    await setupBackend('cpu');
    const { name } = await setupBackend('node');
    const report = await runConformance({ backend: name });
    expect(report.passed, summarizeConformance(report)).toBe(true);
    expect(report.checks).toBeGreaterThan(400);
  });

  it('has kernels of ours that leave nothing behind', () => {
    const x = tf.randomNormal([2, 9, 7, 5], 0, 1, 'float32', 3);
    const volume = tf.randomNormal([2, 6, 4, 8, 3], 0, 1, 'float32', 4);
    const run = () => {
      tf.dispose([poolGradient(x), tf.sum(x, [0, 1, 2]), tf.sum(x, [0, 1, 2], true)]);
      tf.dispose(Object.values(volumeGradients(volume)));
    };
    run();
    const before = tf.memory().numTensors;
    run();
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([x, volume]);
    expect(NATIVE_KERNELS.map((kernel) => kernel.kernelName)).toEqual([
      'MaxPoolGrad',
      'Sum',
      'Conv2DBackpropFilter',
      'Conv3DBackpropInputV2',
      'Conv3DBackpropFilterV2',
    ]);
  });

  it('keeps the maximum that comes first among equals, as TensorFlow does', () => {
    const flat = tf.ones([1, 4, 4, 3]);
    const plain = tf.tidy(() => {
      const { binding } = tf.backend() as unknown as { binding: Record<string, number> };
      const native = tf.backend() as unknown as {
        executeSingleOutput(name: string, attributes: object[], inputs: tf.Tensor[]): tf.Tensor;
      };
      const attribute = (name: string, type: string, value: unknown) => ({
        name,
        type: binding[type],
        value,
      });
      const pooled = tf.maxPool(flat as tf.Tensor4D, 3, 2, 'same');
      return native
        .executeSingleOutput(
          'MaxPoolGrad',
          [
            attribute('T', 'TF_ATTR_TYPE', binding.TF_FLOAT),
            attribute('ksize', 'TF_ATTR_INT', [1, 3, 3, 1]),
            attribute('strides', 'TF_ATTR_INT', [1, 2, 2, 1]),
            attribute('padding', 'TF_ATTR_STRING', 'SAME'),
            attribute('data_format', 'TF_ATTR_STRING', 'NHWC'),
          ],
          [flat, pooled, tf.fill(pooled.shape, 2)],
        )
        .dataSync<'float32'>()
        .slice();
    });
    expect(values(poolGradient, flat)).toEqual(plain);
  });

  it.runIf(process.arch === 'x64')('differentiates pooling with oneDNN', () => {
    const native = tf.backend() as unknown as Record<string, (...args: unknown[]) => unknown>;
    const spies = ['executeSingleOutput', 'executeMultipleOutputs'].map((name) => vi.spyOn(native, name));
    const x = tf.randomNormal([2, 9, 7, 5], 0, 1, 'float32', 3);
    values(poolGradient, x);
    const called = spies.flatMap((spy) => spy.mock.calls.map(([name]) => name));
    for (const spy of spies) spy.mockRestore();
    expect(called).toContain('_MklNativeMaxPoolGrad');
    expect(called).not.toContain('MaxPoolGrad');
    x.dispose();
  });

  it('falls back to TensorFlow where oneDNN has no such operation', () => {
    const native = tf.backend() as unknown as Record<string, (...args: unknown[]) => unknown>;
    const x = tf.randomNormal([2, 9, 7, 5], 0, 1, 'float32', 3);
    const expected = values(poolGradient, x);
    const called: string[] = [];
    const { executeMultipleOutputs: many, executeSingleOutput: one } = native;
    native.executeMultipleOutputs = (name, ...rest) => {
      if (String(name).startsWith('_Mkl')) throw new Error('NOT_FOUND');
      return many.call(native, name, ...rest);
    };
    native.executeSingleOutput = (name, ...rest) => {
      called.push(String(name));
      return one.call(native, name, ...rest);
    };
    try {
      expect(values(poolGradient, x)).toEqual(expected);
      expect(called).toContain('MaxPoolGrad');
    } finally {
      native.executeMultipleOutputs = many;
      native.executeSingleOutput = one;
    }
  });
});
