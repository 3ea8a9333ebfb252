import { addN, dispose, mul, type Tensor, tidy } from '@tensorflow/tfjs-core';
import type { CroppedSample } from '@voxface/datasets';
import { withDefaults } from '@voxface/landmarks';
import { volumeOptions } from '@voxface/models';
import { createVolumeEncoder, type VolumeEncoder } from '@voxface/volume';
import { disposeBatch, encodeBatch, energyOf, type TrainingBatch, uploadBatch } from './batch.ts';
import type { Execution, TrainingConfig } from './config.ts';
import {
  ADVERSARY_DEFAULTS,
  type AdversaryOptions,
  type CoordinateLossForm,
  LOSS_WEIGHTS,
  type LossWeights,
} from './losses.ts';
import type { NetworkName, TrainedNetworks } from './networks.ts';
import { createPhaseRunner, readScalars } from './phase-runner.ts';
import { PHASES, type PhaseName } from './phases.ts';

/** The samples of one micro-batch: 3D, 2D, or both. */
export interface StepSamples {
  readonly samples3d: readonly CroppedSample[];
  readonly samples2d: readonly CroppedSample[];
}

/** Losses and gradients of one phase, means over the replica's samples. */
export interface PhaseResult {
  /** Terms by name. */
  readonly losses: Record<string, number>;
  /** Flat gradient per trained network. */
  readonly gradients: Partial<Record<NetworkName, Float32Array>>;
}

/** Milliseconds spent since the last `takeTimes`, by part of the step. */
export type StepTimes = Record<string, number>;

/** The networks on one backend instance, with the batch they work on. A run has one replica per worker. */
export interface Replica {
  readonly networks: TrainedNetworks;
  /** Encodes and uploads the micro-batches of the next step; frees those of the last. */
  load(steps: readonly StepSamples[]): void;
  /** Energy of the loaded true volumes per stage and kind, mean over the samples: `energy1_3d`, ... */
  energy(): Promise<Record<string, number>>;
  /** Runs a phase over the loaded micro-batches and averages; parameters stay as they are. */
  compute(phase: PhaseName, mu: number): Promise<PhaseResult>;
  takeTimes(): StepTimes;
  /** Frees the loaded batch and what was recorded (not the networks). */
  dispose(): void;
}

/** Options of a replica. */
export interface ReplicaOptions {
  /** @default { coordinate: 1, auxiliary: 0.1, adversarial: 0.001 } */
  weights: LossWeights;
  /** How coordinate errors count. @default 'squared' */
  form: CoordinateLossForm;
  /** How D's energies count. @default { form: 'literal', share: 0.05 } */
  adversary: AdversaryOptions;
  /** Factor on the loss during the backward pass, divided out of the gradients afterwards. @default 1 */
  lossScale: number;
  /** How phases run. @default 'auto' */
  execution: Execution;
}

/** @internal */
export const REPLICA_DEFAULTS: Required<ReplicaOptions> = {
  weights: LOSS_WEIGHTS,
  form: 'squared',
  adversary: ADVERSARY_DEFAULTS,
  lossScale: 1,
  execution: 'auto',
};

/** Creates the replica of these networks on the current backend. */
export function createReplica(
  networks: TrainedNetworks,
  encoder: VolumeEncoder,
  options: Partial<ReplicaOptions> = {},
): Replica {
  const { weights, form, adversary, lossScale, execution } = withDefaults(REPLICA_DEFAULTS, options);
  const runner = createPhaseRunner({ networks, weights, form, adversary, lossScale, execution });
  let loaded: TrainingBatch[][] = [];
  let times: StepTimes = {};
  const spend = (name: string, since: number): number => {
    const now = performance.now();
    times[name] = (times[name] ?? 0) + now - since;
    return now;
  };
  const free = (): void => {
    for (const batch of loaded.flat()) disposeBatch(batch);
    loaded = [];
  };
  return {
    networks,
    load(steps) {
      free();
      loaded = steps.map(({ samples3d, samples2d }) =>
        [samples3d, samples2d]
          .filter((samples) => samples.length > 0)
          .map((samples) => {
            const start = performance.now();
            const encoded = encodeBatch(samples, encoder);
            const middle = spend('encode', start);
            const batch = uploadBatch(encoded, encoder);
            spend('upload', middle);
            return batch;
          }),
      );
    },
    async energy() {
      const total: Record<string, number> = {};
      for (const batches of loaded) {
        for (const batch of batches) {
          const energies = energyOf(batch);
          const values = await energies.data();
          energies.dispose();
          const count = batch.kind === '3d' ? batch.stages.length : networks.model.options.depths.length;
          for (let m = 0; m < count; m++) {
            const name = `energy${m + 1}_${batch.kind}`;
            total[name] = (total[name] ?? 0) + (values[m] ?? values[0]) / loaded.length;
          }
        }
      }
      return total;
    },
    async compute(phase, mu) {
      const names = PHASES[phase].trains(networks);
      const losses: Record<string, number> = {};
      const average = createStatisticsAverage(networks, loaded.length);
      const sums: Float32Array[] = [];
      for (const batches of loaded) {
        average.before();
        const start = performance.now();
        const { terms, gradients } = runner.run(phase, batches, mu);
        const computed = spend(phase, start);
        const values = await Promise.all(gradients.map((gradient) => gradient.data()));
        dispose(gradients);
        values.forEach((value, i) => {
          sums[i] = addScaled(sums[i], value as Float32Array, 1 / (loaded.length * lossScale));
        });
        addScaledTerms(losses, await readScalars(terms), 1 / loaded.length);
        spend('download', computed);
        average.after();
      }
      average.finish();
      return { losses, gradients: Object.fromEntries(names.map((name, i) => [name, sums[i]])) };
    },
    takeTimes() {
      const taken = times;
      times = {};
      return taken;
    },
    dispose() {
      free();
      runner.dispose();
    },
  };
}

/** Creates a replica of the networks with the configuration's losses. */
export function createRunReplica(config: TrainingConfig, networks: TrainedNetworks): Replica {
  const { options } = networks.model;
  const encoder = createVolumeEncoder(options.landmarks, volumeOptions(options));
  const { weights, coordinateLoss: form, discriminator: adversary, lossScale, execution } = config;
  return createReplica(networks, encoder, { weights, form, adversary, lossScale, execution });
}

/** Adds in place; the first addend is scaled in place and becomes the total. */
function addScaled(total: Float32Array | undefined, values: Float32Array, scale: number): Float32Array {
  if (total !== undefined) for (let i = 0; i < total.length; i++) total[i] += values[i] * scale;
  else if (scale !== 1) for (let i = 0; i < values.length; i++) values[i] *= scale;
  return total ?? values;
}

function addScaledTerms(total: Record<string, number>, values: Record<string, number>, scale: number): void {
  for (const name in values) total[name] = (total[name] ?? 0) + values[name] * scale;
}

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
