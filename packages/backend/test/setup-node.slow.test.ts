import { existsSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { afterAll, describe, expect, it } from 'vitest';
import { operationsFile } from '../src/setup-node/addon.ts';
import { loadTfjsNode, type SetupNodeResult, setupNode } from '../src/setup-node.ts';

const cacheDirectory = join(tmpdir(), `voxface-setup-node-${process.pid}`);
const attempt = await setupNode({ cacheDirectory }).catch((error: Error) => error);
const outside =
  /^(findPip|findCompiler|downloadWheel|installPackage|setupNode: (builds on|TensorFlow wheels))/;
const lacking = attempt instanceof Error && outside.test(attempt.message) ? attempt.message : undefined;

function gradientsOn(backend: string, values: { image: Float32Array; filter: Float32Array }): Float32Array[] {
  tf.setBackend(backend);
  return tf.tidy(() => {
    const image = tf.tensor4d(values.image, [2, 8, 8, 3]);
    const filter = tf.tensor4d(values.filter, [3, 3, 3, 4]);
    const loss = (x: tf.Tensor, w: tf.Tensor): tf.Tensor => {
      const features = tf.leakyRelu(tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, 'same'), 0.2);
      return tf.sum(tf.square(tf.maxPool(features as tf.Tensor4D, 2, 1, 'same')));
    };
    const { value, grads } = tf.valueAndGrads(loss)([image, filter]);
    return [value, ...grads].map((tensor) => tensor.dataSync().slice() as Float32Array);
  });
}

describe.skipIf(lacking)(`setupNode builds for real${lacking ? `: skipped, ${lacking}` : ''}`, () => {
  afterAll(() => rmSync(cacheDirectory, { recursive: true, force: true }));

  it('downloads, compiles and checks the addon, then takes it from the cache', async () => {
    expect(attempt).toMatchObject({ built: true, gpu: false, usesGpu: false, tensorflowVersion: '2.21.0' });
    const { directory } = attempt as SetupNodeResult;
    const operations = operationsFile(directory);
    expect(operations !== undefined).toBe(process.arch === 'x64');
    if (operations !== undefined) expect(existsSync(operations)).toBe(true);
    const again = await setupNode({ cacheDirectory });
    expect(again).toMatchObject({ built: false, addon: (attempt as SetupNodeResult).addon });
  });

  it('gives a backend whose values and gradients are those of the cpu backend', () => {
    const loaded = loadTfjsNode({ cacheDirectory });
    expect(loaded.source).toBe('built');
    const flags = process.platform === 'linux' ? readFileSync('/proc/cpuinfo', 'utf8') : '';
    if (process.env.VOXFACE_OWN_OPERATIONS === undefined)
      expect(loaded.hasOwnOperations).toBe(/\bavx2\b/.test(flags) && !/\bavx512f\b/.test(flags));
    expect(tf.getBackend()).toBe('tensorflow');
    const noise = (length: number): Float32Array =>
      Float32Array.from({ length }, (_, i) => Math.sin(12.9898 * (i + 1)) * 0.7);
    const values = { image: noise(2 * 8 * 8 * 3), filter: noise(3 * 3 * 3 * 4) };
    const native = gradientsOn('tensorflow', values);
    const reference = gradientsOn('cpu', values);
    for (const [i, array] of native.entries()) {
      const scale = Math.max(...reference[i].map(Math.abs));
      expect(scale).toBeGreaterThan(0.1);
      expect(array.length).toBe(reference[i].length);
      const worst = Math.max(...array.map((value, j) => Math.abs(value - reference[i][j])));
      expect(worst / scale).toBeLessThan(1e-5);
    }
  });

  it('trains without leaving tensors behind', () => {
    tf.setBackend('tensorflow');
    const filter = tf.variable(tf.fill<tf.Rank.R4>([3, 3, 1, 1], 0.1));
    const image = tf.ones([1, 6, 6, 1]) as tf.Tensor4D;
    const optimizer = tf.train.adam(0.05);
    const step = (): number =>
      tf.tidy(() => {
        const error = (): tf.Scalar => {
          const output = tf.conv2d(image, filter as unknown as tf.Tensor4D, 1, 'same');
          return tf.mean(tf.square(tf.sub(output, 3)));
        };
        const loss = optimizer.minimize(error, true)!;
        return loss.dataSync()[0];
      });
    const first = step();
    const tensors = tf.memory().numTensors;
    let last = first;
    for (let i = 0; i < 30; i++) last = step();
    expect(tf.memory().numTensors).toBe(tensors);
    expect(last).toBeLessThan(first / 4);
  });
});
