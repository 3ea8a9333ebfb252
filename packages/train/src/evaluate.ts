import type { Tensor3D, Tensor4D } from '@tensorflow/tfjs-core';
import { tensor4d, tidy } from '@tensorflow/tfjs-core';
import { type CroppedSample, cropSample, type Dataset, type Sample } from '@voxface/datasets';
import { boxOf, fromUnit, INNER_51_OF_68, type Landmarks } from '@voxface/landmarks';
import { estimateFlatVolumes, type FaceShapeModel, regressCoordinates } from '@voxface/models';

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

/**
 * Evaluates on ground-truth boxes: crop, G, P, back to pixels, NME. Hidden landmarks do not count.
 * @param batchSize crops per forward pass.
 */
export async function evaluateModel(
  model: FaceShapeModel,
  dataset: Dataset,
  batchSize = 16,
): Promise<ValidationResult> {
  const sums = { nme: 0, inner: 0, nme3d: 0 };
  for (let start = 0; start < dataset.length; start += batchSize) {
    const end = Math.min(dataset.length, start + batchSize);
    const samples = await Promise.all(
      Array.from({ length: end - start }, (_, i) => dataset.load(start + i) as Promise<Sample>),
    );
    const crops = samples.map((sample) => cropSample(sample, { size: model.options.inputSize }));
    const predicted = await predictCrops(model, crops);
    samples.forEach((sample, i) => {
      const shape = fromUnit({ points: predicted[i], dims: 3 } as Landmarks<3>, crops[i].crop);
      const everyone = Array.from({ length: sample.scheme.count }, (_, n) => n);
      sums.nme += meanError(shape, sample, everyone, 2);
      if (sample.landmarks.dims === 3) sums.nme3d += meanError(shape, sample, everyone, 3);
      if (sample.scheme.count === 68) sums.inner += meanError(shape, sample, INNER_51_OF_68, 2);
    });
  }
  const count = dataset.length;
  return {
    dataset: dataset.name,
    count,
    nme: sums.nme / count,
    ...(dataset.scheme.count === 68 && { nmeInner: sums.inner / count }),
    ...(dataset.dims === 3 && { nme3d: sums.nme3d / count }),
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

/** Mean distance over the visible ones of `indices`, over the size of the true box; mean depth aligned in 3D. */
function meanError(shape: Landmarks<3>, sample: Sample, indices: readonly number[], dims: 2 | 3): number {
  const { points, dims: own } = sample.landmarks;
  const { width, height } = boxOf(sample.landmarks);
  const counted = indices.filter((n) => sample.visible?.[n] !== 0);
  let shift = 0;
  if (dims === 3)
    for (const n of counted) shift += (points[n * own + 2] - shape.points[n * 3 + 2]) / counted.length;
  let total = 0;
  for (const n of counted) {
    const dx = shape.points[n * 3] - points[n * own];
    const dy = shape.points[n * 3 + 1] - points[n * own + 1];
    const dz = dims === 3 ? shape.points[n * 3 + 2] + shift - points[n * own + 2] : 0;
    total += Math.hypot(dx, dy, dz);
  }
  return total / counted.length / Math.sqrt(width * height);
}
