import { type CropPool, createBatches, type Dataset, mixSeed } from '@voxface/datasets';
import {
  createFaceShapeModel,
  createVolumeDiscriminator,
  type FaceShapeModel,
  type FaceShapeModelOptions,
  presetOptions,
  volumeOptions,
} from '@voxface/models';
import { createVolumeEncoder } from '@voxface/volume';
import type { TrainingConfig } from './config.ts';
import { listNetworks, type TrainedNetworks } from './networks.ts';
import { createReplica, type Replica } from './replica.ts';
import type { StagePlan } from './stages.ts';
import type { StageSources } from './trainer.ts';

/** Options of the model that a configuration asks for, with the run's seed unless it sets its own. */
export function modelOptionsOf({ model, seed }: TrainingConfig): Partial<FaceShapeModelOptions> {
  if (typeof model === 'string') return { seed, ...presetOptions(model) };
  const { preset, ...overrides } = model;
  return { seed, ...(preset === undefined ? {} : presetOptions(preset)), ...overrides };
}

/** Creates the networks of a run on the current backend. */
export function createRunNetworks(config: TrainingConfig, start?: FaceShapeModel): TrainedNetworks {
  const model = start ?? createFaceShapeModel(modelOptionsOf(config));
  const { shared } = config.discriminator;
  const adversarial = config.stages.some((stage) => stage.kind === 'adversarial');
  return listNetworks(model, adversarial ? createVolumeDiscriminator(model, { shared }) : undefined, shared);
}

/** Creates a replica of the networks with the configuration's losses; see `ReplicaOptions.record`. */
export function createRunReplica(config: TrainingConfig, networks: TrainedNetworks, record = true): Replica {
  const { options } = networks.model;
  const encoder = createVolumeEncoder(options.landmarks, volumeOptions(options));
  const { weights, coordinateLoss: form, lossScale } = config;
  return createReplica(networks, encoder, { weights, form, lossScale, record });
}

/** Training sets of a run. */
export interface RunData {
  readonly train3d?: Dataset<3>;
  readonly train2d?: Dataset<2>;
  readonly validation: readonly Dataset[];
}

/** How the trainer opens the sources of a stage: seeded by run and stage, `skip` batches in. */
export function createSourceOpener(
  config: TrainingConfig,
  data: RunData,
  size: number,
  workers?: CropPool,
  onProblem?: (problem: { id: string; error: Error }) => void,
): (plan: StagePlan, skip: number) => StageSources {
  return (plan, skip) => {
    const open = <D extends 2 | 3>(dataset: Dataset<D> | undefined, batchSize: number, kind: number) => {
      if (dataset === undefined || batchSize === 0) return undefined;
      const seed = mixSeed(config.seed, 7, plan.index, kind);
      const { augmentation } = config;
      const state = { version: 1 as const, seed, batchSize, length: dataset.length, batches: skip };
      return createBatches({ dataset, size, batchSize, seed, augmentation, workers, onProblem }, state);
    };
    return {
      source3d: open(data.train3d, plan.shares.size3d, 3),
      source2d: open(data.train2d, plan.shares.size2d, 2),
    };
  };
}
