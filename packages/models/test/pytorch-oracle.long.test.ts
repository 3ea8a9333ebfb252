import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { registerCpuKernels } from '@voxface/backend';
import { fillWeights, type NamedWeight, noise, weightsOf } from '@voxface/test-utils';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createFaceShapeModel,
  createVolumeDiscriminator,
  estimateFlatVolumes,
  type FaceShapeModel,
  type FaceShapeModelOptions,
  regressCoordinates,
  regressorFeed,
  type VolumeDiscriminator,
} from '../src/index.ts';
import gradientGolden from './golden/gradients.json' with { type: 'json' };
import golden from './golden/networks.json' with { type: 'json' };

function expectProbe(tensor: tf.Tensor, name: string, expected: number[], tolerance = 1e-4): void {
  const values = tensor.dataSync() as Float32Array;
  const direction = noise(name, values.length);
  const norm = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
  const projection = values.reduce((sum, v, i) => sum + v * (2 * direction[i] - 1), 0);
  const step = Math.max(1, Math.floor(values.length / 12));
  const sampled = Array.from({ length: expected.length - 2 }, (_, i) => values[i * step]);
  const largest = values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  expect(Math.abs(norm - expected[0]) / expected[0], `${name} norm`).toBeLessThan(tolerance);
  expect(Math.abs(projection - expected[1]) / expected[0], `${name} projection`).toBeLessThan(tolerance);
  sampled.forEach((v, i) => {
    expect(Math.abs(v - expected[i + 2]) / largest, `${name}[${i * step}]`).toBeLessThan(tolerance);
  });
}

const { batch, decoderChannels } = golden;
const options = { ...golden.options, volume: {} } as Partial<FaceShapeModelOptions>;
const { inputSize: side, volumeSize: v, channels, depths, landmarks } = golden.options;
let model: FaceShapeModel;
let shared: VolumeDiscriminator;
let unshared: VolumeDiscriminator;
let images: tf.Tensor4D;
let truth: tf.Tensor4D[];
let points: tf.Tensor;

beforeAll(async () => {
  registerCpuKernels();
  await tf.setBackend('cpu');
});
beforeEach(() => {
  model = createFaceShapeModel(options);
  shared = createVolumeDiscriminator(model, { decoderChannels });
  unshared = createVolumeDiscriminator(model, { decoderChannels, shared: false });
  for (const network of [model.estimator, model.regressor, shared.network, unshared.network])
    fillWeights(network);
  const given = (name: string, shape: number[], scale = 1): tf.Tensor =>
    tf.tensor(
      Float32Array.from(
        noise(
          name,
          shape.reduce((a, b) => a * b, 1),
        ),
        (u) => scale * u,
      ),
      shape,
    );
  images = given('image', [batch, side, side, 3]) as tf.Tensor4D;
  truth = depths.map((d, m) => given(`volume${m + 1}`, [batch, v, v, d * channels], 0.5) as tf.Tensor4D);
  points = given('points', [batch, landmarks, 3]);
});
afterEach(() => {
  shared.dispose();
  unshared.dispose();
  model.dispose();
  tf.dispose([images, points, ...truth]);
});

function reconstruct(
  discriminator: VolumeDiscriminator,
  volumes: tf.Tensor[],
  training: boolean,
): tf.Tensor[] {
  const feed = regressorFeed(model, volumes, images);
  return (discriminator.network.apply(feed, { training }) as tf.Tensor[]).slice(0, depths.length);
}

function squares(a: tf.Tensor[], b: tf.Tensor[]): tf.Scalar {
  return tf.div(tf.addN(a.map((x, i) => tf.sum(tf.squaredDifference(x, b[i])))), batch);
}

describe('networks against PyTorch', () => {
  it.each([
    ['inference', false],
    ['training', true],
  ] as const)('outputs of G, P and D in %s mode', (mode, training) => {
    const expected: Record<string, number[]> = golden[mode];
    tf.tidy(() => {
      const volumes = estimateFlatVolumes(model, images, training);
      volumes.forEach((volume, m) => {
        expectProbe(volume, `estimator${m + 1}`, expected[`estimator${m + 1}`]);
      });
      expectProbe(regressCoordinates(model, truth, images, training), 'regressor', expected.regressor);
      for (const [name, discriminator] of [
        ['encoder', shared],
        ['discriminator_encoder', unshared],
      ] as const) {
        reconstruct(discriminator, truth, training).forEach((volume, m) => {
          expectProbe(volume, `${name}${m + 1}`, expected[`${name}${m + 1}`]);
        });
      }
    });
  });

  it('running statistics after one step', () => {
    tf.tidy(() => {
      estimateFlatVolumes(model, images, true);
      const read = new Map(weightsOf(model.estimator).map((weight) => [weight.originalName, weight.read()]));
      for (const [name, expected] of Object.entries(golden.statistics)) {
        expectProbe(read.get(name)!, name, expected, 1e-4);
      }
    });
  });

  const objectives: Record<keyof typeof gradientGolden.losses, () => tf.Scalar> = {
    volume: () => squares(estimateFlatVolumes(model, images, true), truth),
    coordinate: () => squares([regressCoordinates(model, truth, images, true)], [points]),
    joint: () =>
      squares([regressCoordinates(model, estimateFlatVolumes(model, images, true), images, true)], [points]),
    real: () => squares(reconstruct(shared, truth, true), truth),
    real_unshared: () => squares(reconstruct(unshared, truth, true), truth),
    adversarial: () => {
      const found = estimateFlatVolumes(model, images, true);
      return squares(found, reconstruct(shared, found, true));
    },
  };

  it.each(Object.keys(objectives) as (keyof typeof objectives)[])('gradients of the %s loss', (name) => {
    const expected = gradientGolden.losses[name] as { value: number; gradients: Record<string, number[]> };
    const weights = new Map<string, NamedWeight>();
    for (const network of [model.estimator, model.regressor, shared.network, unshared.network]) {
      for (const weight of weightsOf(network)) {
        const clash = network === unshared.network && weight.originalName.startsWith('decoder');
        if (weight.originalName in expected.gradients && (!clash || name === 'real_unshared')) {
          weights.set(weight.originalName, weight);
        }
      }
    }
    const names = Object.keys(expected.gradients);
    expect(weights.size).toBe(names.length);
    const variables = names.map((n) => weights.get(n)!.read() as tf.Variable);
    const { value, grads } = tf.variableGrads(objectives[name], variables);
    expect(Math.abs(value.dataSync()[0] - expected.value) / expected.value).toBeLessThan(1e-4);
    const largest = Math.max(...Object.values(expected.gradients).map(([norm]) => norm));
    names.forEach((n, i) => {
      const [norm, projection] = expected.gradients[n];
      const gradient = grads[variables[i].name].dataSync() as Float32Array;
      const direction = noise(n, gradient.length);
      const found = Math.sqrt(gradient.reduce((sum, g) => sum + g * g, 0));
      const along = gradient.reduce((sum, g, k) => sum + g * (2 * direction[k] - 1), 0);
      const allowed = 1e-3 * norm + 1e-6 * largest;
      expect(Math.abs(found - norm), `${n} norm ${norm}`).toBeLessThan(allowed);
      expect(Math.abs(along - projection), `${n} projection of ${norm}`).toBeLessThan(allowed);
    });
    tf.dispose([value, ...Object.values(grads)]);
  });
});
