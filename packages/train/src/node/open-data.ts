import { concatDatasets, type Dataset, repeatDataset, takeSamples } from '@voxface/datasets';
import { open300w, openKeypointCsv, openVoxfaceDataset } from '@voxface/datasets/node';
import { openFaceModel } from '@voxface/facefit/node';
import type { DataSpec } from '../config.ts';
import { createFittedDataset } from '../fitted-dataset.ts';
import { createMappedDataset, REDUCTIONS } from '../mapped-dataset.ts';
import { createPlaneDataset } from '../plane-dataset.ts';

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

async function openFormat(spec: DataSpec): Promise<Dataset> {
  const named = spec.name === undefined ? {} : { name: spec.name };
  switch (spec.format) {
    case 'packed':
      return openVoxfaceDataset(spec.root);
    case '300w':
      return open300w(spec.root, named);
    case 'keypoint-csv':
      if (spec.file === undefined) {
        throw new Error(`openDataSpec: keypoint-csv needs 'file' beside 'root' (${spec.root})`);
      }
      return openKeypointCsv(spec.file, spec.root, named);
  }
}
