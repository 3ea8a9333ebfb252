import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
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
} from '../src/index.ts';

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

  it('says when the decoder does not reach the volume', () => {
    expect(() => createVolumeDiscriminator(model, { decoderChannels: [8, 8, 8, 8] })).toThrow(
      /4 doublings must end at 8 x 8 x 8/,
    );
  });
});
