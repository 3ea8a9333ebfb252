import '@tensorflow/tfjs-backend-cpu';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { fillWeights } from '@voxface/test-utils';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listVariables } from '../src/face-shape-model.ts';
import {
  createFaceShapeModel,
  createVolumeDiscriminator,
  estimateFlatVolumes,
  type FaceShapeModel,
  PRESETS,
  regressCoordinates,
  regressorFeed,
  type VolumeDiscriminator,
} from '../src/index.ts';
import { loadDiscriminator, loadModel, saveModel } from '../src/node.ts';

const OPTIONS = { ...PRESETS.tiny, regressorChannels: [4, 6, 8], landmarks: 5 };

let model: FaceShapeModel;
beforeAll(async () => {
  await tf.setBackend('cpu');
});
beforeEach(() => {
  model = createFaceShapeModel(OPTIONS);
});
afterEach(() => model.dispose());

function feed(): tf.Tensor[] {
  const images = tf.randomUniform([2, 32, 32, 3], 0, 1, 'float32', 1) as tf.Tensor4D;
  return regressorFeed(model, estimateFlatVolumes(model, images), images);
}

describe('createVolumeDiscriminator', () => {
  it('reconstructs every stage and regresses with the shared trunk', () => {
    const { network, dispose } = createVolumeDiscriminator(model);
    const inputs = feed();
    const outputs = network.apply(inputs) as tf.Tensor[];
    expect(outputs.map((t) => t.shape)).toEqual([
      [2, 8, 8, 3],
      [2, 8, 8, 24],
      [2, 5, 3],
    ]);
    const points = regressCoordinates(model, inputs, inputs.at(-1) as tf.Tensor4D);
    expect(Array.from(outputs[2].dataSync())).toEqual(Array.from(points.dataSync()));
    const mean =
      (outputs[1].dataSync() as Float32Array).reduce((sum, v) => sum + Math.abs(v), 0) / outputs[1].size;
    expect(mean).toBeLessThan(1e-2);
    dispose();
  });

  it('owns the decoder alone when the trunk is shared, and all but P when not', () => {
    const ofRegressor = new Set(listVariables(model.regressor));
    const shared = createVolumeDiscriminator(model);
    const own = shared.ownWeights();
    expect(own.length).toBeGreaterThan(0);
    expect(own.some((variable) => ofRegressor.has(variable))).toBe(false);
    const coordinates = model.regressor.getLayer('coordinates').trainableWeights.length;
    expect(listVariables(shared.network).length).toBe(own.length + ofRegressor.size);
    const unshared = createVolumeDiscriminator(model, { shared: false, seed: 1 });
    expect(unshared.ownWeights().length).toBe(own.length + ofRegressor.size - coordinates);
    expect(listVariables(unshared.network).some((variable) => ofRegressor.has(variable))).toBe(false);
    expect((unshared.network.apply(feed()) as tf.Tensor[]).length).toBe(2);
    shared.dispose();
    unshared.dispose();
  });

  it('leaves the regressor alive when it is disposed', () => {
    const before = tf.memory().numTensors;
    const discriminator = createVolumeDiscriminator(model);
    discriminator.dispose();
    discriminator.dispose();
    expect(tf.memory().numTensors).toBe(before);
    const inputs = feed();
    expect(regressCoordinates(model, inputs, inputs.at(-1) as tf.Tensor4D).shape).toEqual([2, 5, 3]);
  });

  it('has gradients for all of its weights and for the volumes', () => {
    const { network, dispose } = createVolumeDiscriminator(model);
    const [first, last, images] = feed();
    const loss = (a: tf.Tensor, b: tf.Tensor) => {
      const [ra, rb] = network.apply([a, b, images], { training: true }) as tf.Tensor[];
      const points = (network.apply([a, b, images], { training: true }) as tf.Tensor[])[2];
      return tf.addN([
        tf.sum(tf.squaredDifference(ra, a)),
        tf.sum(tf.squaredDifference(rb, b)),
        tf.sum(tf.square(points)),
      ]) as tf.Scalar;
    };
    const { grads } = tf.variableGrads(() => loss(first, last), listVariables(network));
    expect(Object.keys(grads).length).toBe(listVariables(network).length);
    const largest = (t: tf.Tensor) =>
      (t.dataSync() as Float32Array).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
    for (const gradient of Object.values(grads)) expect(Number.isFinite(largest(gradient))).toBe(true);
    const [da, db] = tf.grads(loss)([first, last]);
    expect(largest(da)).toBeGreaterThan(0);
    expect(largest(db)).toBeGreaterThan(0);
    dispose();
  });

  it('reconstructs all stages where the regressor sees the last, or that one alone; through a bottleneck', () => {
    const narrow = createFaceShapeModel({ ...OPTIONS, regressorInput: 'last' });
    const images = tf.randomUniform([2, 32, 32, 3], 0, 1, 'float32', 2) as tf.Tensor4D;
    const inputs = regressorFeed(narrow, estimateFlatVolumes(narrow, images), images);
    const shapes = (options: object) => {
      const { network, ownWeights, dispose } = createVolumeDiscriminator(narrow, {
        shared: false,
        ...options,
      });
      const outputs = network.apply(inputs) as tf.Tensor | tf.Tensor[];
      const found = (Array.isArray(outputs) ? outputs : [outputs]).map((t) => t.shape);
      const own = ownWeights().length;
      dispose();
      return { found, own };
    };
    const all = shapes({});
    expect(all.found).toEqual([
      [2, 8, 8, 3],
      [2, 8, 8, 24],
    ]);
    expect(shapes({ stages: 'regressor' }).found).toEqual([[2, 8, 8, 24]]);
    expect(shapes({ bottleneck: 3 })).toEqual({ found: all.found, own: all.own + 2 });
    narrow.dispose();
    expect(() => createVolumeDiscriminator(model, { bottleneck: 1.5 })).toThrow(
      /whole number of units, got 1.5/,
    );
  });

  it('is saved beside its model and opened again with the same outputs', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'voxface-discriminator-'));
    for (const shared of [true, false]) {
      const discriminator = createVolumeDiscriminator(model, { shared, bottleneck: 4, seed: 5 });
      fillWeights(discriminator.network);
      const path = join(folder, String(shared));
      await saveModel(model, path, { discriminator });
      const loaded = await loadModel(path);
      const again = (await loadDiscriminator(loaded, path))!;
      expect(again.options).toEqual(discriminator.options);
      const inputs = feed();
      const values = ({ network }: VolumeDiscriminator) =>
        (network.apply(inputs) as tf.Tensor[]).map((t) => Array.from(t.dataSync()));
      expect(values(again)).toEqual(values(discriminator));
      for (const each of [discriminator, again]) each.dispose();
      loaded.dispose();
    }
    await saveModel(model, join(folder, 'without'));
    expect(await loadDiscriminator(model, join(folder, 'without'))).toBeUndefined();
    await rm(folder, { recursive: true });
  });

  it('says when the decoder does not reach the volume', () => {
    expect(() => createVolumeDiscriminator(model, { decoderChannels: [8, 8, 8, 8] })).toThrow(
      /4 doublings must end at 8 x 8 x 8/,
    );
  });
});
