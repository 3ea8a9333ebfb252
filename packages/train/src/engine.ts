import { type NetworkName, selectNetworks } from './networks.ts';
import type { PhaseName } from './phases.ts';
import type { PhaseResult, Replica, StepSamples, StepTimes } from './replica.ts';
import type { TrainingState } from './training-state.ts';

/**
 * What computes gradients for the trainer: one replica in this thread, or several in worker threads. The trainer
 * alone holds the optimizers and decides the parameters.
 */
export interface GradientEngine {
  /** Parts that a global batch is cut into, all of the same size. */
  readonly parts: number;
  /** Gives every part its samples. */
  load(parts: readonly StepSamples[]): Promise<void>;
  /** Losses and gradients, means over all parts. */
  compute(phase: PhaseName, mu: number): Promise<PhaseResult>;
  /** Energy of the loaded true volumes, see `Replica.energy`. */
  energy(): Promise<Record<string, number>>;
  /** Writes parameters [size] of one network into every replica. */
  write(name: NetworkName, values: Float32Array): Promise<void>;
  /** Running statistics [size] of one network, mean over the replicas. */
  readStatistics(name: NetworkName): Promise<Float32Array>;
  writeStatistics(name: NetworkName, values: Float32Array): Promise<void>;
  /** Milliseconds since the last call, by part of the step. */
  takeTimes(): StepTimes;
  close(): Promise<void>;
}

/** The engine of a single replica; several parts are accumulated one after the other. */
export function createLocalEngine(replica: Replica, parts = 1): GradientEngine {
  const own = (name: NetworkName) => selectNetworks(replica.networks, [name])[0];
  return {
    parts,
    load: async (steps) => replica.load(steps),
    compute: (phase, mu) => replica.compute(phase, mu),
    energy: async () => replica.energy(),
    write: async (name, values) => own(name).trainable.write(values),
    readStatistics: (name) => own(name).statistics.read(),
    writeStatistics: async (name, values) => own(name).statistics.write(values),
    takeTimes: () => replica.takeTimes(),
    close: async () => replica.dispose(),
  };
}

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
