import '@tensorflow/tfjs-backend-cpu';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildCoordinateRegressor } from '../src/coordinate-regressor.ts';
import { buildFaceShapeModel } from '../src/face-shape-model.ts';
import {
  countOperations,
  createVolumeDiscriminator,
  formatOperations,
  PRESETS,
  resolveOptions,
} from '../src/index.ts';
import { buildVolumeEstimator } from '../src/volume-estimator.ts';

beforeAll(async () => {
  await setBackend('cpu');
});

const millions = (value: number): number => Number((value / 1e6).toFixed(2));
const billions = (value: number): number => Number((value / 1e9).toFixed(2));

// Parameters in millions and GMAC, from an independent PyTorch count.
describe('countOperations', () => {
  it.each([
    [1, [64], 3.44, 5.2],
    [3, [64], 3.47, 5.34],
    [3, [1, 64], 6.61, 8.49],
    [3, [1, 2, 64], 9.75, 11.66],
    [1, [1, 2, 4, 64], 12.85, 14.67],
    [3, [1, 2, 4, 64], 12.89, 14.83],
    [3, [1, 4, 16, 64], 12.91, 14.92],
    [3, [1, 2, 4, 8, 16, 64], 19.2, 21.28],
    [3, [1, 2, 4, 8, 16, 32, 64, 64], 25.62, 28.19],
  ])('G with %i channels and depths %j', (channels, depths, parameters, operations) => {
    const network = buildVolumeEstimator(resolveOptions({ depths, channels }));
    const cost = countOperations(network);
    network.dispose();
    expect(millions(cost.parameters)).toBe(parameters);
    expect(Math.abs(billions(cost.operations) - operations)).toBeLessThan(0.011);
  });

  it.each([
    [1, 1, 'last', false, 19.46, 3.9],
    [3, 3, 'last', false, 19.47, 4.17],
    [6, 3, 'last', true, 19.48, 4.57],
    [15, 3, 'all', true, 19.52, 5.78],
  ] as const)('P with %i inputs', (_, channels, regressorInput, regressorImage, parameters, operations) => {
    const network = buildCoordinateRegressor(resolveOptions({ channels, regressorInput, regressorImage }));
    const cost = countOperations(network);
    network.dispose();
    expect(millions(cost.parameters)).toBe(parameters);
    expect(billions(cost.operations)).toBe(operations);
  });

  it.each([
    [[512, 256, 128, 64], 13.1, 14.1],
    [[256, 128, 64, 32], 5.4, 3.9],
  ])('decoder of D with channels %j', (decoderChannels, parameters, operations) => {
    const model = buildFaceShapeModel(resolveOptions({ regressorInput: 'last' }));
    const discriminator = createVolumeDiscriminator(model, { decoderChannels, stages: 'regressor' });
    const whole = countOperations(discriminator.network);
    const trunk = countOperations(model.regressor);
    discriminator.dispose();
    model.dispose();
    expect((whole.parameters - trunk.parameters) / 1e6).toBeCloseTo(parameters, 1);
    expect(Math.abs((whole.operations - trunk.operations) / 1e9 - operations)).toBeLessThan(0.06);
  });

  it('costs the same for 5 to 98 landmarks, up to the last dense layer', () => {
    const costs = [5, 21, 68, 98].map((landmarks) => {
      const model = buildFaceShapeModel(resolveOptions({ ...PRESETS.small, landmarks }));
      const [g, p] = [countOperations(model.estimator), countOperations(model.regressor)];
      model.dispose();
      return { g, p, last: 160 * 3 * landmarks };
    });
    for (const { g, p, last } of costs) {
      expect(g).toEqual(costs[0].g);
      expect(p.operations - last).toBe(costs[0].p.operations - costs[0].last);
      expect(p.layers.filter((layer) => layer.kind === 'InputLayer')).toEqual(
        costs[0].p.layers.filter((layer) => layer.kind === 'InputLayer'),
      );
    }
    expect(costs[3].last / costs[3].p.operations).toBeLessThan(0.001);
  });

  it('prints a table with a total', () => {
    const network = buildVolumeEstimator(resolveOptions(PRESETS.tiny));
    const cost = countOperations(network);
    network.dispose();
    const lines = formatOperations(cost).split('\n');
    expect(lines[0]).toBe('| layer | kind | output | parameters | MMAC |');
    expect(lines.find((line) => line.includes('stem_conv'))).toBe(
      `| stem_conv | Conv2D | 16 x 16 x 2 | ${7 * 7 * 3 * 2 + 2} | ${((256 * 7 * 7 * 3 * 2) / 1e6).toFixed(2)} |`,
    );
    expect(lines.at(-1)).toContain(`| total |  |  | ${cost.parameters} |`);
  });
});
