import { addN, mul, type Tensor, tidy } from '@tensorflow/tfjs-core';
import type { TrainedNetworks } from './networks.ts';

/**
 * Moves running statistics once per step when a step has several micro-batches: every micro-batch starts from the
 * statistics before the step, and the results are averaged. That is what data-parallel workers do, so that both
 * ways of cutting a global batch give the same numbers.
 */
export interface StatisticsAverage {
  before(): void;
  after(): void;
  finish(): void;
}

/** Creates the average over `count` micro-batches; with one there is nothing to do. */
export function createStatisticsAverage(networks: TrainedNetworks, count: number): StatisticsAverage {
  const nothing = (): void => {};
  if (count < 2) return { before: nothing, after: nothing, finish: nothing };
  const sets = Object.values(networks.weights).map((network) => network.statistics);
  const start = sets.map((set) => set.snapshot());
  const results: Tensor[][][] = [];
  return {
    before() {
      sets.forEach((set, i) => {
        set.restore(start[i].map((tensor) => tensor.clone()));
      });
    },
    after() {
      results.push(sets.map((set) => set.snapshot()));
    },
    finish() {
      sets.forEach((set, i) => {
        set.restore(
          start[i].map((_, j) => tidy(() => mul(addN(results.map((r) => r[i][j])), 1 / results.length))),
        );
      });
      for (const tensor of [...start.flat(), ...results.flat(2)]) tensor.dispose();
    },
  };
}
