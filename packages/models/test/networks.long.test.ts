import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { train } from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { listVariables } from '../src/face-shape-model.ts';
import {
  createFaceShapeModel,
  createVolumeEstimator,
  estimateVolumes,
  type FaceShapeModel,
  PRESETS,
  presetOptions,
  regressCoordinates,
  resolveOptions,
} from '../src/index.ts';

beforeAll(async () => {
  await tf.setBackend('cpu');
});

let model: FaceShapeModel | undefined;
afterEach(() => {
  model?.dispose();
  model = undefined;
});

describe('createFaceShapeModel', () => {
  it('maps images to one volume per stage and to landmarks', () => {
    model = createFaceShapeModel('tiny');
    const images = tf.randomUniform([2, 32, 32, 3], 0, 1, 'float32', 1) as tf.Tensor4D;
    const volumes = estimateVolumes(model, images);
    expect(volumes.map((v) => v.shape)).toEqual([
      [2, 8, 8, 1, 3],
      [2, 8, 8, 8, 3],
    ]);
    const points = regressCoordinates(model, volumes, images);
    expect(points.shape).toEqual([2, 68, 3]);
    const values = points.dataSync();
    expect(values[0]).toBeCloseTo(0.5, 1);
    expect(values[2]).toBeCloseTo(0, 1);
    tf.dispose([images, points, ...volumes]);
  });

  it('draws the same weights for the same seed and others for another', async () => {
    const [a, b, c] = [0, 0, 1].map((seed) => createVolumeEstimator({ ...PRESETS.tiny, seed }));
    const kernel = (network: typeof a) => network.getLayer('stem_conv').getWeights()[0].dataSync();
    expect(kernel(a)).toEqual(kernel(b));
    expect(kernel(a)).not.toEqual(kernel(c));
    for (const network of [a, b, c]) network.dispose();
  });

  it('starts heads near zero and other kernels at variance 2 / fan-in', () => {
    model = createFaceShapeModel('tiny');
    const deviation = (values: ArrayLike<number>) =>
      Math.sqrt(Array.from(values).reduce((sum, v) => sum + v * v, 0) / values.length);
    const stem = model.estimator.getLayer('stem_conv').getWeights()[0].dataSync();
    expect(deviation(stem)).toBeCloseTo(Math.sqrt(2 / (7 * 7 * 3)), 1);
    const head = model.estimator.getLayer('stack2_head').getWeights()[0].dataSync();
    expect(deviation(head)).toBeLessThan(2e-3);
    expect(deviation(head)).toBeGreaterThan(5e-4);
  });

  it('takes the last volume alone, no image, one stack and compact colours', () => {
    model = createFaceShapeModel({
      ...PRESETS.tiny,
      depths: [8],
      channels: 1,
      regressorInput: 'last',
      regressorImage: false,
      landmarks: 5,
    });
    const images = tf.zeros([1, 32, 32, 3]) as tf.Tensor4D;
    const volumes = estimateVolumes(model, images);
    expect(volumes.map((v) => v.shape)).toEqual([[1, 8, 8, 8, 1]]);
    expect(regressCoordinates(model, volumes, images).shape).toEqual([1, 5, 3]);
  });

  it('has presets whose options fit, with the depth lists of Table V', () => {
    for (const name of Object.keys(PRESETS))
      expect(resolveOptions(presetOptions(name)).stacks).toBeGreaterThan(0);
    expect(resolveOptions(presetOptions('semantic-4'))).toEqual(resolveOptions(presetOptions('paper')));
    const { channels, stacks, volume } = resolveOptions(presetOptions('compact-8'));
    expect([channels, stacks, volume.colors]).toEqual([1, 8, 'compact']);
    expect(resolveOptions(presetOptions('compact-inner-51')).landmarks).toBe(51);
  });

  it('names the rule that an option breaks', () => {
    expect(() => createFaceShapeModel({ ...PRESETS.tiny, depths: [3, 8] })).toThrow(
      /every depth must divide/,
    );
    expect(() => createFaceShapeModel({ ...PRESETS.tiny, stacks: 3 })).toThrow(/one entry per stack.*1,8/);
    expect(() => createFaceShapeModel({ ...PRESETS.tiny, inputSize: 24 })).toThrow(
      /divisible by 2\^hourglass/,
    );
    expect(() => presetOptions('huge')).toThrow(/no preset 'huge' \(there are paper/);
  });
});

describe('training', () => {
  it('overfits two random samples and leaks nothing after the first step', () => {
    model = createFaceShapeModel({
      ...PRESETS.tiny,
      features: 4,
      hourglassDepth: 1,
      regressorChannels: [2, 4],
      regressorInput: 'last',
      landmarks: 3,
    });
    const shape = model;
    const images = tf.randomUniform([2, 32, 32, 3], 0, 1, 'float32', 2) as tf.Tensor4D;
    const truth = [1, 8].map((d) => tf.randomUniform([2, 8, 8, d, 3], 0, 0.06, 'float32', d));
    const points = tf.randomUniform([2, 3, 3], 0, 1, 'float32', 5);
    const optimizer = train.adam(1e-2);
    const variables = [...listVariables(shape.estimator), ...listVariables(shape.regressor)];
    const losses: number[] = [];
    const counts: number[] = [];
    for (let step = 0; step < 8; step++) {
      const loss = optimizer.minimize(
        () => {
          const volumes = estimateVolumes(shape, images, true);
          const voxel = volumes.map((v, m) => tf.sum(tf.squaredDifference(v, truth[m])));
          const predicted = regressCoordinates(shape, volumes, images, true);
          return tf.addN([...voxel, tf.sum(tf.squaredDifference(predicted, points))]) as tf.Scalar;
        },
        true,
        variables,
      )!;
      losses.push(loss.dataSync()[0]);
      loss.dispose();
      counts.push(tf.memory().numTensors);
    }
    expect(losses.at(-1)!).toBeLessThan(losses[0] * 0.7);
    expect(counts.at(-1)).toBe(counts[1]);
    optimizer.dispose();
    tf.dispose([images, points, ...truth]);
  });
});
