import type { GradientEngine } from './engine.ts';
import type { NetworkName } from './networks.ts';
import type { TrainingState } from './training-state.ts';

/**
 * Runs `f` with the averaged weights in the networks, then puts the raw ones back. Runs without averages just run it.
 */
export async function withAverage<T>(
  state: TrainingState,
  engine: GradientEngine,
  f: () => Promise<T>,
): Promise<T> {
  const averaged = Object.entries(state.networks).filter(([, network]) => network.average !== undefined);
  if (averaged.length === 0) return f();
  for (const [name, { average }] of averaged) {
    await engine.write(name as NetworkName, average!.parameters);
    await engine.writeStatistics(name as NetworkName, average!.statistics);
  }
  try {
    return await f();
  } finally {
    for (const [name, network] of averaged) {
      await engine.write(name as NetworkName, network.parameters);
      await engine.writeStatistics(name as NetworkName, network.statistics);
    }
  }
}
