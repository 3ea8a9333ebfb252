import {
  reshape,
  type Tensor,
  type Tensor3D,
  type Tensor4D,
  type Tensor5D,
  tidy,
  type Variable,
} from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { ConfidenceCalibration } from '@voxface/predict';
import { buildCoordinateRegressor, regressorStages } from './coordinate-regressor.ts';
import { initializeWeights } from './initialize-weights.ts';
import { type FaceShapeModelOptions, type PresetName, presetOptions, resolveOptions } from './options.ts';
import { buildVolumeEstimator } from './volume-estimator.ts';

/** The two networks that find landmarks, and what they were built from. */
export interface FaceShapeModel {
  readonly options: FaceShapeModelOptions;
  /** G: [b, S, S, 3] in 0..1 -> M tensors [b, h, w, d_m * c] (a bare tensor when M = 1). */
  readonly estimator: LayersModel;
  /** P: [stage volumes ..., image] -> [b, n, 3] in crop unit space. */
  readonly regressor: LayersModel;
  /** What turns its volumes into probabilities, where it has been calibrated; saved with the weights. */
  readonly confidence?: ConfidenceCalibration;
  /** Frees the weights of both networks; may be called twice. */
  dispose(): void;
}

/**
 * Creates G and P with fresh weights.
 * @param options a preset's name, or options (`{ ...PRESETS.small, seed: 1 }`).
 * @throws RangeError for an unknown preset or sizes that do not fit each other.
 * @example
 * ```js
 * import { setupBackend } from '@voxface/backend';
 * import { createFaceShapeModel } from '@voxface/models';
 *
 * await setupBackend('cpu');
 * const model = createFaceShapeModel('tiny');
 * console.log(model.options.landmarks); // => 68
 * model.dispose();
 * ```
 */
export function createFaceShapeModel(
  options: Partial<FaceShapeModelOptions> | PresetName = {},
): FaceShapeModel {
  const resolved = resolveOptions(typeof options === 'string' ? presetOptions(options) : options);
  const model = buildFaceShapeModel(resolved);
  initializeWeights(model.estimator, resolved.seed);
  initializeWeights(model.regressor, resolved.seed);
  return model;
}

/** G and P with all kernels at zero, for weights that are about to be loaded. */
export function buildFaceShapeModel(options: FaceShapeModelOptions): FaceShapeModel {
  return wrapNetworks(options, buildVolumeEstimator(options), buildCoordinateRegressor(options));
}

/** Joins two networks to a model. */
export function wrapNetworks(
  options: FaceShapeModelOptions,
  estimator: LayersModel,
  regressor: LayersModel,
): FaceShapeModel {
  let alive = true;
  return {
    options,
    estimator,
    regressor,
    dispose: () => {
      if (!alive) return;
      alive = false;
      estimator.dispose();
      regressor.dispose();
    },
  };
}

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

/**
 * The trainable variables of a network in layer order, for `variableGrads` and optimizers.
 * Batch normalisation's running statistics are not among them.
 */
export function listVariables(network: LayersModel): Variable[] {
  return network.trainableWeights.map((weight) => weight.read() as Variable);
}
