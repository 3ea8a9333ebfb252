import { tensor4d, tidy } from '@tensorflow/tfjs-core';
import type { FaceShapeModel } from '../face-shape-model.ts';
import { estimateFlatVolumes, regressCoordinates } from '../run-networks.ts';
import { createCropPredictor, type Predictor, type PredictorOptions } from './create-crop-predictor.ts';
import { cropsToUnitRange } from './crops-to-unit-range.ts';

/**
 * A predictor that runs G and P on the current TensorFlow.js backend.
 * The model stays the caller's: dispose it after the predictor.
 * @throws RangeError as `createCropPredictor`.
 */
export function createPredictor(model: FaceShapeModel, options: PredictorOptions = {}): Predictor {
  const { inputSize, landmarks, scheme } = model.options;
  return createCropPredictor(
    { inputSize, landmarks, scheme, run: (crops) => runModel(model, crops) },
    options,
  );
}

async function runModel(model: FaceShapeModel, crops: readonly Uint8Array[]): Promise<ArrayLike<number>> {
  const { inputSize } = model.options;
  const points = tidy(() => {
    const images = tensor4d(cropsToUnitRange(crops, inputSize), [crops.length, inputSize, inputSize, 3]);
    return regressCoordinates(model, estimateFlatVolumes(model, images), images);
  });
  try {
    return await points.data();
  } finally {
    points.dispose();
  }
}
