import { concat, memory, type Tensor4D, tidy, type Variable, variableGrads } from '@tensorflow/tfjs-core';
import { setupBackend } from '@voxface/backend';
import { beforeAll, describe, expect, it } from 'vitest';
import { disposeBatch, toBatch } from '../src/batch.ts';
import { LOSS_WEIGHTS } from '../src/losses.ts';
import type { NetworkName, TrainedNetworks } from '../src/networks.ts';
import { discriminate, estimate } from '../src/networks.ts';
import { PHASES } from '../src/phases.ts';
import { createReplica } from '../src/replica.ts';
import { randomCrops, tinyNetworks } from './helpers/tiny-run.ts';

beforeAll(async () => {
  await setupBackend('cpu');
});

const samples = { samples3d: randomCrops(2, 3, 1), samples2d: randomCrops(2, 2, 2) };

async function weightsOf(networks: TrainedNetworks): Promise<Record<string, Float32Array>> {
  const all: Record<string, Float32Array> = {};
  for (const [name, weights] of Object.entries(networks.weights)) {
    all[`${name} trainable`] = await weights.trainable.read();
    all[`${name} statistics`] = await weights.statistics.read();
  }
  return all;
}

function changed(before: Record<string, Float32Array>, after: Record<string, Float32Array>): string[] {
  return Object.keys(before).filter((name) => before[name].some((value, i) => value !== after[name][i]));
}

describe.each([true, false])('adversarial phases, shared encoder %s', (shared) => {
  it('trains the networks of Algorithm 1 and leaves the others bit-equal', async () => {
    const { networks, encoder } = tinyNetworks(shared);
    const replica = createReplica(networks, encoder);
    replica.load([samples]);
    const start = await weightsOf(networks);
    const step = async (phase: 'discriminator' | 'generator') => {
      const { gradients } = await replica.compute(phase, 0.5);
      for (const [name, gradient] of Object.entries(gradients)) {
        const { trainable } = networks.weights[name as NetworkName]!;
        const values = await trainable.read();
        trainable.write(values.map((value, i) => value - 0.01 * gradient[i]));
      }
      return Object.keys(gradients).sort();
    };
    expect(await step('discriminator')).toEqual(shared ? ['discriminator', 'regressor'] : ['discriminator']);
    const middle = await weightsOf(networks);
    expect(changed(start, middle).some((name) => name.startsWith('estimator'))).toBe(false);
    expect(changed(start, middle)).toContain('discriminator trainable');
    expect(changed(start, middle).includes('regressor trainable')).toBe(shared);
    expect(await step('generator')).toEqual(shared ? ['estimator'] : ['estimator', 'regressor']);
    const end = await weightsOf(networks);
    expect(changed(middle, end)).toContain('estimator trainable');
    expect(changed(middle, end).some((name) => name.startsWith('discriminator'))).toBe(false);
    expect(changed(middle, end).includes('regressor trainable')).toBe(!shared);
    replica.dispose();
  });

  it('detaches the fakes: the loss of D does not reach G', () => {
    const { networks, encoder } = tinyNetworks(shared);
    const batches = [toBatch(samples.samples3d, encoder), toBatch(samples.samples2d, encoder)];
    const input = { networks, batches, weights: LOSS_WEIGHTS, mu: 0.5 };
    const { variables } = networks.weights.estimator!.trainable;
    tidy(() => {
      const prepared = PHASES.discriminator.prepare!(input);
      const loss = () => PHASES.discriminator.compute({ ...input, prepared }).loss;
      expect(() => variableGrads(loss, variables as Variable[])).toThrow(/Cannot find a connection/);
    });
    batches.forEach(disposeBatch);
  });

  it('keeps running statistics of D and P from true volumes out', async () => {
    const { networks, encoder } = tinyNetworks(shared);
    const replica = createReplica(networks, encoder);
    replica.load([samples]);
    await replica.compute('discriminator', 0);
    const mixed = await networks.weights.discriminator!.statistics.read();
    const other = tinyNetworks(shared);
    tidy(() => {
      const batches = [toBatch(samples.samples3d, other.encoder), toBatch(samples.samples2d, other.encoder)];
      const images = concat(batches.map((batch) => batch.images)) as Tensor4D;
      discriminate(other.networks, estimate(other.networks, images), images);
    });
    const fakesOnly = await other.networks.weights.discriminator!.statistics.read();
    expect([...fakesOnly]).toEqual([...mixed]);
    const fresh = tinyNetworks(shared).networks.weights.discriminator!.statistics;
    expect([...(await fresh.read())]).not.toEqual([...mixed]);
    replica.dispose();
  });
});

describe('phases', () => {
  it('keep no tensors beyond the first step', async () => {
    const { networks, encoder } = tinyNetworks();
    const replica = createReplica(networks, encoder);
    const counts: number[] = [];
    for (let step = 0; step < 3; step++) {
      for (const phase of ['volume', 'coordinate', 'joint', 'discriminator', 'generator'] as const) {
        replica.load([phase === 'coordinate' ? { ...samples, samples2d: [] } : samples]);
        await replica.compute(phase, 0.3);
      }
      counts.push(memory().numTensors);
    }
    expect(counts[1]).toBe(counts[2]);
    replica.dispose();
  });

  it('average micro-batches: two halves give the mean of their gradients', async () => {
    const { networks, encoder } = tinyNetworks();
    const replica = createReplica(networks, encoder);
    const halves = [0, 1].map((seed) => ({ samples3d: randomCrops(2, 3, 10 + seed), samples2d: [] }));
    const statistics = networks.weights.estimator!.statistics;
    const start = await statistics.read();
    const single: Float32Array[] = [];
    const moved: Float32Array[] = [];
    for (const half of halves) {
      statistics.write(start);
      replica.load([half]);
      single.push((await replica.compute('volume', 0)).gradients.estimator!);
      moved.push(await statistics.read());
    }
    statistics.write(start);
    replica.load(halves);
    const both = await replica.compute('volume', 0);
    const mean = single[0].map((value, i) => (value + single[1][i]) / 2);
    expect(Math.max(...mean.map((value, i) => Math.abs(value - both.gradients.estimator![i])))).toBeLessThan(
      1e-5,
    );
    const after = await statistics.read();
    expect(Math.max(...after.map((v, i) => Math.abs(v - (moved[0][i] + moved[1][i]) / 2)))).toBeLessThan(
      1e-6,
    );
    replica.dispose();
  });
});
