import {
  reshape,
  type Tensor,
  type Tensor3D,
  type Tensor4D,
  type Tensor5D,
  tidy,
} from '@tensorflow/tfjs-core';
import { regressorStages } from './coordinate-regressor.ts';
import type { FaceShapeModel } from './face-shape-model.ts';

/**
 * Runs G.
 * @param images [b, S, S, 3] in 0..1.
 * @param training true uses and records batch statistics.
 * @returns one volume per stage [b, h, w, d_m, c]; the caller disposes them.
 */
export function estimateVolumes(model: FaceShapeModel, images: Tensor4D, training = false): Tensor5D[] {
  return tidy(() => {
    const { volumeSize, depths, channels } = model.options;
    return estimateFlatVolumes(model, images, training).map((flat, m) =>
      reshape(flat, [images.shape[0], volumeSize, volumeSize, depths[m], channels]),
    ) as Tensor5D[];
  });
}

/** As `estimateVolumes`, depth and colour still in the channels: [b, h, w, d_m * c], what P and D take. */
export function estimateFlatVolumes(model: FaceShapeModel, images: Tensor4D, training = false): Tensor4D[] {
  const outputs = model.estimator.apply(images, { training }) as Tensor | Tensor[];
  return (Array.isArray(outputs) ? outputs : [outputs]) as Tensor4D[];
}

/**
 * Runs P.
 * @param volumes one per stage, flat [b, h, w, d_m * c] or [b, h, w, d_m, c].
 * @param images [b, S, S, 3] in 0..1.
 * @returns [b, n, 3] in crop unit space; the caller disposes it.
 */
export function regressCoordinates(
  model: FaceShapeModel,
  volumes: readonly Tensor[],
  images: Tensor4D,
  training = false,
): Tensor3D {
  return tidy(() => model.regressor.apply(regressorFeed(model, volumes, images), { training }) as Tensor3D);
}

/** Picks, flattens and orders what the regressor (and the discriminator) take as inputs. */
export function regressorFeed(model: FaceShapeModel, volumes: readonly Tensor[], images: Tensor4D): Tensor[] {
  const { volumeSize, depths, channels, regressorImage } = model.options;
  const feed: Tensor[] = regressorStages(model.options).map((m) =>
    volumes[m].rank === 4
      ? volumes[m]
      : reshape(volumes[m], [images.shape[0], volumeSize, volumeSize, depths[m] * channels]),
  );
  if (regressorImage) feed.push(images);
  return feed;
}
