import type { BatchSource } from '@voxface/datasets';
import { createLocalEngine } from '../../src/engine.ts';
import { parseTrainingConfig } from '../../src/parse-config.ts';
import { createReplica } from '../../src/replica.ts';
import { planStages } from '../../src/stages.ts';
import { createTrainer } from '../../src/trainer.ts';
import { createTrainingState } from '../../src/training-state.ts';
import { randomCrops, tinyNetworks } from './tiny-run.ts';

/** Steps of a run that has every phase: pre-training, end to end, mixed, adversarial. */
const STAGES = ['pretrain', 'finetune', 'mixed', 'adversarial', 'adversarial'] as const;

/** Losses of the first five steps of a small run with all phases, on the current backend. */
export async function firstLosses(): Promise<Record<string, number>[]> {
  const config = parseTrainingConfig({
    name: 'first-losses',
    output: 'none',
    batchSize: 4,
    data: { train3d: [{ format: 'packed', root: 'none' }], train2d: [{ format: 'packed', root: 'none' }] },
    learningRate: { initial: 1e-3 },
    stages: STAGES.map((kind) => ({ kind, steps: 1 })),
  });
  const { networks, encoder } = tinyNetworks();
  const trainer = createTrainer(config, {
    engine: createLocalEngine(createReplica(networks, encoder)),
    plan: () => planStages(config, 4),
    state: await createTrainingState(networks, false),
    openSources: ({ shares, index }) => ({
      source3d: noise(shares.size3d, 3, index),
      ...(shares.size2d > 0 && { source2d: noise(shares.size2d, 2, index) }),
    }),
  });
  const losses: Record<string, number>[] = [];
  for (let step = 0; step < trainer.totalSteps; step++) losses.push((await trainer.step()).losses);
  await trainer.close();
  networks.discriminator?.dispose();
  networks.model.dispose();
  return losses;
}

/** Largest relative difference between two lists of losses; infinite when a name is missing. */
export function worstDifference(
  actual: readonly Record<string, number>[],
  expected: readonly Record<string, number>[],
): number {
  const differences = expected.flatMap((losses, step) =>
    Object.entries(losses).map(([name, value]) => {
      const difference = Math.abs(actual[step][name] - value) / Math.max(Math.abs(value), 1e-3);
      return Number.isFinite(difference) ? difference : Number.POSITIVE_INFINITY;
    }),
  );
  return Math.max(...differences);
}

function noise<D extends 2 | 3>(count: number, dims: D, seed: number): BatchSource<D> {
  return {
    next: async () => randomCrops(count, dims, 10 * seed + dims),
    state: () => ({ version: 1, seed, batchSize: count, length: count, batches: 0 }),
    epoch: () => 0,
    close: async () => {},
  };
}
