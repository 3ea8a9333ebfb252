import {
  type CropPool,
  concatDatasets,
  createBatches,
  createMappedDataset,
  createPlaneDataset,
  type Dataset,
  mixSeed,
  REDUCTIONS,
  repeatDataset,
  type Shard,
  takeSamples,
} from '@voxface/datasets';
import { openDataset } from '@voxface/datasets/node';
import { createFittedDataset } from '@voxface/facefit';
import { openFaceModel } from '@voxface/facefit/node';
import { findScheme } from '@voxface/landmarks';
import type { FaceShapeModelOptions } from '@voxface/models';
import type { DataSpec, TrainingConfig } from '../config.ts';
import type { StagePlan } from '../stages.ts';
import type { StageSources } from '../trainer.ts';

/** Opens all sets of a run and logs their sizes. */
export async function openRunData(config: TrainingConfig, log: (line: string) => void): Promise<RunData> {
  const { train3d, train2d, validation } = config.data;
  const data: RunData = {
    train3d: await openTrainingData(train3d, 3),
    train2d: await openTrainingData(train2d, 2),
    validation: await Promise.all(validation.map(openDataSpec)),
  };
  const count = (dataset?: { length: number }) => dataset?.length ?? 0;
  log(
    `data: ${count(data.train3d)} 3D and ${count(data.train2d)} 2D training samples, ${data.validation.map((d) => `${d.length} of ${d.name}`).join(', ') || 'no validation'}`,
  );
  return data;
}

/**
 * Schemes are compared by count and name: 68 points of another scheme would train without complaint.
 * @throws RangeError when a set does not have the model's landmarks.
 */
export function checkSchemes(options: FaceShapeModelOptions, data: RunData): void {
  for (const dataset of [data.train3d, data.train2d, ...data.validation]) {
    if (dataset === undefined) continue;
    const { count, name } = dataset.scheme;
    if (count !== options.landmarks || name !== options.scheme) {
      throw new RangeError(
        `runTraining: the model has ${options.landmarks} landmarks of ${options.scheme}, ${dataset.name} has ${count} of ${name} (set model.landmarks and model.scheme, or convert the data)`,
      );
    }
  }
}

/**
 * Opens the datasets of a list of specifications as one.
 * @param dims what the networks need; 3D annotation is cut to 2D where 2D is asked for.
 * @returns undefined for an empty list.
 * @throws Error when a set is missing or has no depth where 3D is needed.
 */
export async function openTrainingData<D extends 2 | 3>(
  specs: readonly DataSpec[],
  dims: D,
): Promise<Dataset<D> | undefined> {
  if (specs.length === 0) return undefined;
  const datasets: Dataset[] = [];
  for (const spec of specs) datasets.push(ofDimensions(await openDataSpec(spec), dims, spec));
  return (datasets.length === 1 ? datasets[0] : concatDatasets(datasets)) as Dataset<D>;
}

/** Opens one specification: loader, depth fit, selection, repetition. */
export async function openDataSpec(spec: DataSpec): Promise<Dataset> {
  let dataset = await openFormat(spec);
  const { every, offset, limit, repeat } = spec;
  if (every > 1 || offset > 0 || limit !== undefined) {
    const indices = Array.from({ length: dataset.length }, (_, i) => i)
      .filter((i) => i >= offset && (i - offset) % every === 0)
      .slice(0, limit);
    dataset = takeSamples(dataset, indices);
  }
  if (spec.fitDepth !== undefined) {
    const faceModel = await openFaceModel(spec.fitDepth.faceModel);
    dataset = createFittedDataset(dataset as Dataset<2>, faceModel, spec.fitDepth.jaw);
  }
  if (spec.scheme !== undefined) dataset = createMappedDataset(dataset, REDUCTIONS[spec.scheme]);
  return repeat === 1 ? dataset : repeatDataset(dataset, repeat);
}

function ofDimensions(dataset: Dataset, dims: 2 | 3, spec: DataSpec): Dataset {
  if (dims === 2) return dataset.dims === 2 ? dataset : createPlaneDataset(dataset as Dataset<3>);
  if (dataset.dims === 3) return dataset;
  throw new Error(
    `openTrainingData: train3d needs 3D annotation, got 2D in ${spec.root} (add fitDepth, or move it to train2d)`,
  );
}

function openFormat(spec: DataSpec): Promise<Dataset> {
  const { format, root, name, images, split, labels, points, basis, occluded } = spec;
  return openDataset(root, {
    kind: format,
    ...(name !== undefined && { name }),
    ...(images !== undefined && { images }),
    ...(split !== undefined && { split }),
    ...(labels !== undefined && { labels }),
    ...(points !== undefined && { scheme: findScheme(points) }),
    ...(basis !== undefined && { basis }),
    ...(occluded !== undefined && { occluded }),
  });
}

/** Training sets of a run. */
export interface RunData {
  readonly train3d?: Dataset<3>;
  readonly train2d?: Dataset<2>;
  readonly validation: readonly Dataset[];
}

/** How the trainer opens the sources of a stage: seeded by run and stage, `skip` batches in; of every batch the `part`. */
export function createSourceOpener(
  config: TrainingConfig,
  data: RunData,
  size: number,
  workers?: CropPool,
  onProblem?: (problem: { id: string; error: Error }) => void,
  part?: Shard,
): (plan: StagePlan, skip: number) => StageSources {
  return (plan, skip) => {
    const open = <D extends 2 | 3>(dataset: Dataset<D> | undefined, batchSize: number, kind: number) => {
      if (dataset === undefined || batchSize === 0) return undefined;
      const seed = mixSeed(config.seed, 7, plan.index, kind);
      const { augmentation } = config;
      const shuffle = config.shuffle === 'all' ? true : config.shuffle;
      const state = { version: 1 as const, seed, batchSize, length: dataset.length, batches: skip };
      return createBatches(
        { dataset, size, batchSize, seed, augmentation, shuffle, workers, onProblem, part },
        state,
      );
    };
    return {
      source3d: open(data.train3d, plan.shares.size3d, 3),
      source2d: open(data.train2d, plan.shares.size2d, 2),
    };
  };
}
