import type { FaceShapeModel } from '../face-shape-model.ts';
import { createCropPredictor, type Predictor, type PredictorOptions } from './create-crop-predictor.ts';
import { createNetworkRunner } from './network-runner.ts';

/**
 * A predictor that runs G and P on the current TensorFlow.js backend.
 * The model stays the caller's: dispose it after the predictor.
 * @throws RangeError as `createCropPredictor`.
 */
export function createPredictor(model: FaceShapeModel, options: PredictorOptions = {}): Predictor {
  return createCropPredictor(createNetworkRunner(model), options);
}
