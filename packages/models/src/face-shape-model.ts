import type { LayersModel } from '@tensorflow/tfjs-layers';
import { buildCoordinateRegressor } from './coordinate-regressor.ts';
import { initializeWeights } from './initialize-weights.ts';
import { type FaceShapeModelOptions, resolveOptions } from './options.ts';
import { type PresetName, presetOptions } from './presets.ts';
import { buildVolumeEstimator } from './volume-estimator.ts';

/** The two networks that find landmarks, and what they were built from. */
export interface FaceShapeModel {
  readonly options: FaceShapeModelOptions;
  /** G: [b, S, S, 3] in 0..1 -> M tensors [b, h, w, d_m * c] (a bare tensor when M = 1). */
  readonly estimator: LayersModel;
  /** P: [stage volumes ..., image] -> [b, n, 3] in crop unit space. */
  readonly regressor: LayersModel;
  /** Frees the weights of both networks; may be called twice. */
  dispose(): void;
}

/**
 * Creates G and P with fresh weights.
 * @param options a preset's name, or options (`{ ...PRESETS.small, seed: 1 }`).
 * @throws RangeError for an unknown preset or sizes that do not fit each other.
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
