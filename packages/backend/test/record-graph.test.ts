import { existsSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { recordGraph, setupBackend } from '../src/index.ts';
import { encodeSavedModel } from '../src/native/saved-model.ts';
import { defaultCacheDirectory } from '../src/setup-node.ts';

const loaded = existsSync(defaultCacheDirectory())
  ? await setupBackend('node').catch((error: Error) => error)
  : new Error(`nothing in ${defaultCacheDirectory()} (voxface setup-node builds it)`);
const lacking = loaded instanceof Error ? loaded.message : undefined;
if (lacking !== undefined) console.log(`native backend SKIPPED: ${lacking}`);

describe.skipIf(lacking !== undefined)('recordGraph (needs voxface setup-node)', () => {
  beforeAll(async () => {
    await setupBackend('node');
  });

  it('computes values and gradients of new inputs, and leaves nothing behind', () => {
    const before = tf.memory();
    const draw = (seed: number) => [
      tf.randomNormal([2, 9, 7, 3], 0, 1, 'float32', seed),
      tf.randomNormal([3, 3, 3, 5], 0, 1, 'float32', seed + 1),
    ];
    const offset = tf.tensor1d([1, 2, 3, 4, 5]);
    const plainly = ([x, w]: tf.Tensor[]) =>
      tf.tidy(() => {
        const f = (a: tf.Tensor, b: tf.Tensor) => {
          const y = tf.relu(tf.add(tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 2, 'same'), offset));
          return tf.sum(tf.square(tf.maxPool(y as tf.Tensor4D, 2, 1, 'valid'))) as tf.Scalar;
        };
        const { value, grads } = tf.valueAndGrads(f)([x, w]);
        return [value, ...grads, tf.ones([2, 3]), x, value];
      });
    const first = draw(3);
    const { program, outputs } = recordGraph(first, () => plainly(first));
    expect(program.length).toBeGreaterThan(10);
    for (const inputs of [first, draw(8)]) {
      const expected = plainly(inputs);
      const found = program.run(inputs);
      expect(found.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
      for (const [i, tensor] of expected.entries()) {
        const values = tensor.dataSync<'float32'>();
        const largest = Math.max(...values.map(Math.abs));
        found[i].dataSync<'float32'>().forEach((value, k) => {
          expect(Math.abs(value - values[k])).toBeLessThan(1e-5 * largest);
        });
      }
      tf.dispose([...expected, ...found, ...(inputs === first ? [] : inputs)]);
    }
    expect(() => program.run(first.slice(1))).toThrow(/expected 2 inputs/);
    program.dispose();
    expect(() => program.run(first)).toThrow(/was disposed/);
    tf.dispose([...first, ...outputs, offset]);
    expect(tf.memory()).toMatchObject({
      numTensors: before.numTensors,
      numDataBuffers: before.numDataBuffers,
    });
  });

  it('refuses functions that read what they compute, and leaves the backend as it was', () => {
    const x = tf.tensor2d([[1, 2, 3]]);
    expect(() => recordGraph([x], () => [tf.mul(x, tf.square(x).dataSync()[2])])).toThrow(/must not be read/);
    expect([...tf.square(x).dataSync()]).toEqual([1, 4, 9]);
    x.dispose();
  });
});

it('recordGraph names the backend that it needs', async () => {
  await setupBackend('cpu');
  const x = tf.tensor1d([1, 2]);
  expect(() => recordGraph([x], () => [tf.square(x)])).toThrow(/backend must be TensorFlow's own/);
  x.dispose();
});

it('a graph is written as TensorFlow reads it', () => {
  const bytes = encodeSavedModel([
    {
      name: 'a',
      operation: 'Op',
      inputs: ['b:1'],
      attributes: { k: { kind: 'ints', value: [-1, 300] }, s: { kind: 'shape', value: [2] } },
    },
  ]);
  // What Python's protobuf makes of the same message.
  const expected =
    '080112420a072205736572766512370a300a016112024f701a03623a312a150a016b12100a0e1a0cffffffffffffffffff01ac022a0b0a017312063a0412020802220308f30a';
  expect(Buffer.from(bytes).toString('hex')).toBe(expected);
});
