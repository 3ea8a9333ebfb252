import {
  addN,
  mul,
  square,
  squaredDifference,
  stack,
  sum,
  type Tensor,
  type Tensor3D,
  type Tensor4D,
  tensor4d,
  tidy,
} from '@tensorflow/tfjs-core';
import {
  type CroppedSample,
  cropSample,
  type Dataset,
  type ProblemHandler,
  type Sample,
} from '@voxface/datasets';
import { fromUnit, INNER_51_OF_68, type Landmarks, toPlane } from '@voxface/landmarks';
import { boxSize, fixedNormalizer, nme } from '@voxface/metrics';
import {
  estimateFlatVolumes,
  type FaceShapeModel,
  regressCoordinates,
  regressorFeed,
  volumeOptions,
} from '@voxface/models';
import { createVolumeEncoder } from '@voxface/volume';
import { type Batch3D, disposeBatch, toBatch } from './batch.ts';
import { coordinateLoss } from './losses.ts';
import type { TrainedNetworks } from './networks.ts';

/** Errors of a model on a dataset, as fractions of the box size sqrt(width * height) of the 2D truth. */
export interface ValidationResult {
  readonly dataset: string;
  readonly count: number;
  /** NME of x and y over all landmarks, mean over images. */
  readonly nme: number;
  /** The same over the inner 51 of 68 landmarks (no jaw line). */
  readonly nmeInner?: number;
  /** NME of x, y and z with aligned mean depth, on 3D datasets. */
  readonly nme3d?: number;
}

/** Errors of one image, as fractions of the box size; see `ValidationResult`. */
export interface ImageErrors {
  readonly id: string;
  readonly nme: number;
  readonly nmeInner?: number;
  readonly nme3d?: number;
}

/** Evaluates on ground-truth boxes; the means of `measureModel`. */
export async function evaluateModel(
  model: FaceShapeModel,
  dataset: Dataset,
  batchSize = 16,
  onProblem?: ProblemHandler,
): Promise<ValidationResult> {
  const errors = await measureModel(model, dataset, batchSize, onProblem);
  if (errors.length === 0) {
    throw new Error(
      `evaluateModel: at least one sample must load, got none of ${dataset.length} of ${dataset.name}`,
    );
  }
  const mean = (name: 'nme' | 'nmeInner' | 'nme3d'): number =>
    errors.reduce((sum, image) => sum + (image[name] ?? 0), 0) / errors.length;
  return {
    dataset: dataset.name,
    count: errors.length,
    nme: mean('nme'),
    ...(dataset.scheme.count === 68 && { nmeInner: mean('nmeInner') }),
    ...(dataset.dims === 3 && { nme3d: mean('nme3d') }),
  };
}

/**
 * Errors of a model per image on ground-truth boxes: crop, G, P, back to pixels, NME. Hidden landmarks do not count.
 * @param batchSize crops per forward pass.
 * @param onProblem told about samples that cannot be loaded, which are left out; absent: the first one throws.
 */
export async function measureModel(
  model: FaceShapeModel,
  dataset: Dataset,
  batchSize = 16,
  onProblem?: ProblemHandler,
): Promise<ImageErrors[]> {
  const errors: ImageErrors[] = [];
  for (let start = 0; start < dataset.length; start += batchSize) {
    const end = Math.min(dataset.length, start + batchSize);
    const loaded = await Promise.all(
      Array.from({ length: end - start }, (_, i) => loadReadable(dataset, start + i, onProblem)),
    );
    const samples = loaded.filter((sample) => sample !== undefined);
    if (samples.length === 0) continue;
    const crops = samples.map((sample) => cropSample(sample, { size: model.options.inputSize }));
    const predicted = await predictCrops(model, crops);
    samples.forEach((sample, i) => {
      const shape = fromUnit({ points: predicted[i], dims: 3 } as Landmarks<3>, crops[i].crop);
      errors.push(measureImage(shape, sample));
    });
  }
  return errors;
}

/** What an adversarial stage must not spoil, on samples that it has not been trained on. */
export interface HeldOutLosses {
  /** Squared error of D on true volumes over their energy: 1 where it returns nothing. */
  readonly reconstruction: number;
  /** L_coord of P on the volumes that G estimates, which are those that it meets in prediction. */
  readonly coordinate: number;
}

/**
 * Measures D on true volumes and P on estimated ones, with running statistics as in prediction.
 * @param count samples that are measured, spread over the dataset.
 */
export async function measureHeldOut(
  networks: TrainedNetworks,
  dataset: Dataset<3>,
  count = 64,
  batchSize = 16,
): Promise<HeldOutLosses> {
  const { model, discriminator } = networks;
  const encoder = createVolumeEncoder(model.options.landmarks, volumeOptions(model.options));
  const chosen = Math.min(count, dataset.length);
  const indices = Array.from({ length: chosen }, (_, i) => Math.floor((i * dataset.length) / chosen));
  let [error, energy, coordinate] = [0, 0, 0];
  for (let start = 0; start < chosen; start += batchSize) {
    const samples = await Promise.all(indices.slice(start, start + batchSize).map((i) => dataset.load(i)));
    const crops = samples.map((sample) => cropSample(sample, { size: model.options.inputSize }));
    const batch = toBatch(crops, encoder) as Batch3D;
    const sums = tidy(() => {
      const truth = batch.stages as Tensor4D[];
      const outputs = discriminator?.network.apply(regressorFeed(model, truth, batch.images));
      // Coordinates are of rank 3.
      const rebuilt = ([outputs].flat() as Tensor[]).filter(({ rank }) => rank === 4);
      const stages = truth.slice(-rebuilt.length);
      const estimated = estimateFlatVolumes(model, batch.images);
      return stack([
        addN(stages.map((stage, m) => sum(squaredDifference(stage, rebuilt[m])))),
        addN(stages.map((stage) => sum(square(stage)))),
        mul(coordinateLoss(regressCoordinates(model, estimated, batch.images), batch), batch.size),
      ]);
    });
    const values = await sums.data();
    error += values[0];
    energy += values[1];
    coordinate += values[2];
    sums.dispose();
    disposeBatch(batch);
  }
  return { reconstruction: error / energy, coordinate: coordinate / chosen };
}

async function loadReadable(
  dataset: Dataset,
  index: number,
  onProblem: ProblemHandler | undefined,
): Promise<Sample | undefined> {
  try {
    return (await dataset.load(index)) as Sample;
  } catch (error) {
    if (!onProblem) throw error;
    onProblem({ id: dataset.ids[index], error: error as Error });
    return undefined;
  }
}

function measureImage(shape: Landmarks<3>, { id, landmarks, visible, scheme, box }: Sample): ImageErrors {
  const [plane, truth] = [toPlane(shape), toPlane(landmarks)];
  // A subset of the landmarks is measured by the box of all of them.
  const normalizer = scheme.count === 68 ? boxSize : fixedNormalizer(Math.sqrt(box.width * box.height));
  const options = { normalizer, reference: truth, visible };
  return {
    id,
    nme: nme(plane, truth, options),
    ...(scheme.count === 68 && { nmeInner: nme(plane, truth, { ...options, subset: INNER_51_OF_68 }) }),
    ...(landmarks.dims === 3 && { nme3d: nme(shape, landmarks, { ...options, alignDepth: 'mean' }) }),
  };
}

/** [n * 3] crop unit coordinates per crop. */
async function predictCrops(model: FaceShapeModel, crops: readonly CroppedSample[]): Promise<Float32Array[]> {
  const size = model.options.inputSize;
  const pixels = new Float32Array(crops.length * size * size * 3);
  crops.forEach((crop, i) => {
    pixels.set(crop.pixels, i * crop.pixels.length);
  });
  for (let i = 0; i < pixels.length; i++) pixels[i] /= 255;
  const coordinates = tidy(() => {
    const images = tensor4d(pixels, [crops.length, size, size, 3]) as Tensor4D;
    return regressCoordinates(model, estimateFlatVolumes(model, images), images) as Tensor3D;
  });
  const values = (await coordinates.data()) as Float32Array;
  coordinates.dispose();
  const step = values.length / crops.length;
  return crops.map((_, i) => values.slice(i * step, (i + 1) * step));
}
