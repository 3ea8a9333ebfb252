import { existsSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { runConformance, summarizeConformance } from '../src/conformance.ts';
import { setupBackend } from '../src/index.ts';
import { NATIVE_KERNELS } from '../src/native/native-kernels.ts';
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

  it('passes the conformance suite', async () => {
    await setupBackend('cpu');
    const { name } = await setupBackend('node');
    const report = await runConformance({ backend: name });
    expect(report.passed, summarizeConformance(report)).toBe(true);
    expect(report.checks).toBeGreaterThan(400);
  });

  it('has kernels of ours that leave nothing behind', () => {
    const x = tf.randomNormal([2, 9, 7, 5], 0, 1, 'float32', 3);
    const run = () => tf.dispose([poolGradient(x), tf.sum(x, [0, 1, 2]), tf.sum(x, [0, 1, 2], true)]);
    run();
    const before = tf.memory().numTensors;
    run();
    expect(tf.memory().numTensors).toBe(before);
    x.dispose();
    expect(NATIVE_KERNELS.map((kernel) => kernel.kernelName)).toEqual(['MaxPoolGrad', 'Sum']);
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
