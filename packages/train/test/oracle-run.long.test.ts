import { setupBackend } from '@voxface/backend';
import type { BatchSource, CroppedSample } from '@voxface/datasets';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseTrainingConfig } from '../src/config.ts';
import { createLocalEngine } from '../src/engine.ts';
import type { NetworkName } from '../src/networks.ts';
import { createReplica } from '../src/replica.ts';
import { planStages } from '../src/stages.ts';
import { createTrainer } from '../src/trainer.ts';
import { createTrainingState } from '../src/training-state.ts';
import golden from './golden/phases.json' with { type: 'json' };
import { expectLosses, expectProbes, oracleNetworks, oracleSamples, probes } from './helpers/oracle.ts';

beforeAll(async () => {
  await setupBackend('cpu');
});

const somewhere = [{ format: 'packed' as const, root: 'none' }];
const config = parseTrainingConfig({
  name: 'oracle',
  output: 'none',
  batchSize: 5,
  share2d: 0.6,
  data: { train3d: somewhere, train2d: somewhere },
  weights: golden.weights,
  balance: golden.balance,
  learningRate: { initial: golden.rate },
  rateOf: golden.rateOf,
  adam: { epsilon: golden.epsilon },
  stages: golden.stages as never,
});

/** Two steps of pre-training, two mixed, ten adversarial ones: losses, mu, and all weights at the end. */
describe.each(golden.runs)('Algorithm 1 against PyTorch, shared encoder $shared', (expected) => {
  it('takes the same fourteen steps', async () => {
    const { networks, encoder, layout, dispose } = oracleNetworks(expected.shared);
    const replica = createReplica(networks, encoder, { weights: config.weights });
    const state = await createTrainingState(networks, false);
    const source = <D extends 2 | 3>(start: number, draw: (step: number) => CroppedSample<D>[]) => {
      let step = start;
      return { next: async () => draw(step++), close: async () => {} } as unknown as BatchSource<D>;
    };
    const trainer = createTrainer(config, {
      engine: createLocalEngine(replica),
      plan: () => planStages(config, 5),
      state,
      openSources: ({ start, shares: { size3d, size2d } }) => ({
        source3d: source<3>(start, (step) => oracleSamples(step, size3d, 0).samples3d),
        source2d: source<2>(start, (step) => oracleSamples(step, 0, size2d).samples2d),
      }),
    });
    for (const step of expected.steps) {
      const record = await trainer.step();
      expectLosses(record.losses, step.losses, 2e-3);
      if (!('mu' in step)) expect(record.mu).toBeUndefined();
      else {
        expect(record.mu).toBeCloseTo(step.mu!, 4);
        expect(record.gap).toBeCloseTo(step.gap!, 4);
      }
    }
    await trainer.syncStatistics();
    const parameters: Record<string, number[]> = {};
    const statistics: Record<string, number[]> = {};
    for (const [name, network] of Object.entries(state.networks)) {
      Object.assign(parameters, probes(network.parameters, layout(name as NetworkName, 'trainable')));
      Object.assign(statistics, probes(network.statistics, layout(name as NetworkName, 'statistics')));
    }
    expectProbes(parameters, expected.parameters as unknown as Record<string, number[]>, 1e-3);
    expectProbes(statistics, expected.statistics as unknown as Record<string, number[]>, 1e-3);
    await trainer.close();
    dispose();
  });
});
