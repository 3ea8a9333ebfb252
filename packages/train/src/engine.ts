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
    energy: () => replica.energy(),
    write: async (name, values) => own(name).trainable.write(values),
    readStatistics: (name) => own(name).statistics.read(),
    writeStatistics: async (name, values) => own(name).statistics.write(values),
    takeTimes: () => replica.takeTimes(),
    close: async () => replica.dispose(),
  };
}

/** Processes that train one run together, each with an equal part of every batch; what they call, all of them call. */
export interface RankGroup {
  /** 0..size - 1; rank 0 evaluates and writes. */
  readonly rank: number;
  readonly size: number;
  /** Name and version of what carries the messages. */
  readonly library: string;
  /** Sums values over all ranks, in place. */
  sum(values: Float32Array | Float64Array): Promise<void>;
  /** The bytes that rank 0 gives, in every rank. */
  broadcast(bytes?: Uint8Array): Promise<Uint8Array>;
  /** Says why and ends all ranks: the others would wait forever. */
  abort(error: Error): void;
  close(): void;
}

/**
 * The engine of a rank: gradients, losses and statistics are means over all ranks, so that every rank decides the same
 * parameters. The result is that of one replica that accumulates the same parts.
 * @param inner what computes this rank's part.
 */
export function createRankEngine(inner: GradientEngine, group: RankGroup): GradientEngine {
  const scale = 1 / group.size;
  let exchange = 0;
  const average = async <T extends Float32Array | Float64Array>(values: T): Promise<T> => {
    const start = performance.now();
    await group.sum(values);
    for (let i = 0; i < values.length; i++) values[i] *= scale;
    exchange += performance.now() - start;
    return values;
  };
  const averageRecord = async (record: Record<string, number>): Promise<Record<string, number>> => {
    const values = await average(Float64Array.from(Object.values(record)));
    return Object.fromEntries(Object.keys(record).map((name, i) => [name, values[i]]));
  };
  return {
    ...inner,
    async compute(phase, mu) {
      const { losses, gradients } = await inner.compute(phase, mu);
      for (const gradient of Object.values(gradients)) await average(gradient);
      return { losses: await averageRecord(losses), gradients };
    },
    energy: async () => averageRecord(await inner.energy()),
    async readStatistics(name) {
      const mean = await average(await inner.readStatistics(name));
      await inner.writeStatistics(name, mean);
      return mean;
    },
    takeTimes() {
      const times = { ...inner.takeTimes(), exchange };
      exchange = 0;
      return times;
    },
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
