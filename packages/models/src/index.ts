export { TABLE_V_DEPTHS, TABLE_VI_LANDMARKS } from './ablation-presets.ts';
export { createCoordinateRegressor } from './coordinate-regressor.ts';
export { countOperations, formatOperations, type LayerCost, type NetworkCost } from './count-operations.ts';
export { type BoxCalibration, calibrateBox } from './detectors/calibration.ts';
export {
  BROWSER_DETECTOR_DEFAULTS,
  type BrowserDetectorOptions,
  createBrowserDetector,
  hasBrowserDetector,
} from './detectors/create-browser-detector.ts';
export type { DetectedFace, FaceDetector } from './detectors/face-detector.ts';
export { createFaceShapeModel, type FaceShapeModel } from './face-shape-model.ts';
export { listVariables } from './list-variables.ts';
export { FACE_SHAPE_MODEL_DEFAULTS, type FaceShapeModelOptions, resolveOptions } from './options.ts';
export {
  type CropRunner,
  createCropPredictor,
  type FaceRequest,
  type FaceShape,
  PREDICTOR_DEFAULTS,
  type Predictor,
  type PredictorOptions,
} from './predictor/create-crop-predictor.ts';
export {
  createFaceTracker,
  FACE_TRACKER_DEFAULTS,
  type FaceTracker,
  type FaceTrackerOptions,
  type TrackedFace,
} from './predictor/create-face-tracker.ts';
export { createPredictor } from './predictor/create-predictor.ts';
export { cropsToUnitRange } from './predictor/crops-to-unit-range.ts';
export {
  type DecodedImage,
  type DrawableImage,
  type ImageSource,
  toPixels,
} from './predictor/image-source.ts';
export {
  LOCALIZE_IMAGES_DEFAULTS,
  type LocalizeImagesOptions,
  type LocatedFace,
  type LocatedImage,
  localizeImages,
} from './predictor/localize-images.ts';
export { PRESETS, type PresetName, presetOptions } from './presets.ts';
export { isRecordingFaster } from './program/is-recording-faster.ts';
export {
  PROGRAM_DEFAULTS,
  type Program,
  type ProgramOptions,
  type Recording,
  recordProgram,
} from './program/record-program.ts';
export { estimateFlatVolumes, estimateVolumes, regressCoordinates, regressorFeed } from './run-networks.ts';
export {
  createVolumeDiscriminator,
  type VolumeDiscriminator,
  type VolumeDiscriminatorOptions,
} from './volume-discriminator.ts';
export { createVolumeEstimator } from './volume-estimator.ts';
export { volumeOptions } from './volume-options.ts';
export { assignTensors, assignWeights } from './weights/assign-weights.ts';
export { type EncodedNetwork, encodeNetwork, type WeightPrecision } from './weights/encode-network.ts';
export { toHalf } from './weights/half.ts';
export { loadModelFromUrl } from './weights/load-model-from-url.ts';
export { decodeModelFile, encodeModelFile } from './weights/model-file.ts';
