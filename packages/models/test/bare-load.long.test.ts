import '@tensorflow/tfjs-backend-cpu';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { fillWeights } from '@voxface/test-utils';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFaceShapeModel, type FaceShapeModel, PRESETS } from '../src/index.ts';
import { loadModel, saveModel } from '../src/node.ts';

let folder: string;
let model: FaceShapeModel;
beforeAll(async () => {
  await tf.setBackend('cpu');
  folder = await mkdtemp(join(tmpdir(), 'voxface-bare-'));
  model = createFaceShapeModel({ ...PRESETS.tiny, landmarks: 5 });
  fillWeights(model.estimator);
  fillWeights(model.regressor);
});
afterAll(async () => {
  model.dispose();
  await rm(folder, { recursive: true });
});

describe('a saved model in a script without this package', () => {
  it.each(['float32', 'float16', 'uint8'] as const)(
    'predicts the same from %s weights',
    async (precision) => {
      const path = join(folder, precision);
      await saveModel(model, path, { precision });
      const script = fileURLToPath(new URL('./fixtures/bare-load.mjs', import.meta.url));
      const { stdout } = await promisify(execFile)(process.execPath, [script, path], { maxBuffer: 2 ** 26 });
      const outputs = JSON.parse(stdout.slice(stdout.indexOf('{"estimator'))) as Record<string, number[][]>;
      const loaded = await loadModel(path);
      for (const name of ['estimator', 'regressor'] as const) {
        tf.tidy(() => {
          const network = loaded[name];
          const inputs = network.inputs.map(({ shape }) => tf.ones([1, ...shape.slice(1)] as number[]));
          const expected = [network.apply(inputs.length === 1 ? inputs[0] : inputs)].flat() as tf.Tensor[];
          expected.forEach((tensor, i) => {
            expect(outputs[name][i]).toEqual(Array.from(tensor.dataSync()));
          });
        });
      }
      loaded.dispose();
    },
  );
});
