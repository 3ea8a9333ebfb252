export { createCoordinateRegressor } from './coordinate-regressor.ts';
export { createFaceShapeModel, type FaceShapeModel } from './face-shape-model.ts';
export { listVariables } from './list-variables.ts';
export { FACE_SHAPE_MODEL_DEFAULTS, type FaceShapeModelOptions, resolveOptions } from './options.ts';
export { PRESETS, type PresetName, presetOptions } from './presets.ts';
export { estimateFlatVolumes, estimateVolumes, regressCoordinates, regressorFeed } from './run-networks.ts';
export { createVolumeEstimator } from './volume-estimator.ts';
export { volumeOptions } from './volume-options.ts';
