export { createCoordinateRegressor } from './coordinate-regressor.ts';
export { countOperations, formatOperations, type LayerCost, type NetworkCost } from './count-operations.ts';
export { createPredictor } from './create-predictor.ts';
export {
  createFaceShapeModel,
  estimateFlatVolumes,
  estimateVolumes,
  type FaceShapeModel,
  regressCoordinates,
  regressorFeed,
} from './face-shape-model.ts';
export {
  FACE_SHAPE_MODEL_DEFAULTS,
  type FaceShapeModelOptions,
  PRESETS,
  type PresetName,
  presetOptions,
  resolveOptions,
  TABLE_V_DEPTHS,
  TABLE_VI_LANDMARKS,
  volumeOptions,
} from './options.ts';
export {
  createVolumeDiscriminator,
  type VolumeDiscriminator,
  type VolumeDiscriminatorOptions,
} from './volume-discriminator.ts';
export { createVolumeEstimator } from './volume-estimator.ts';
export {
  toHalf,
  type WeightPrecision,
} from './weights/encode-network.ts';
export { loadModelFromUrl } from './weights/load-model-from-url.ts';
export { decodeModelFile, encodeModelFile } from './weights/model-file.ts';
export { encodeSafetensors } from './weights/safetensors.ts';
