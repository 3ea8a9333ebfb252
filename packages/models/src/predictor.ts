/** What needs no TensorFlow.js: prediction and detection around any runtime. Loading it takes a few milliseconds. */
export { createDetector, DETECTOR_DEFAULTS, type DetectorOptions } from './detectors/create-detector.ts';
export type { DetectionHead, DetectionNetwork } from './detectors/detection-network.ts';
export type { DetectedFace, FaceDetector } from './detectors/face-detector.ts';
export {
  type CropRunner,
  createCropPredictor,
  type FaceRequest,
  type FaceShape,
  PREDICTOR_DEFAULTS,
  type Predictor,
  type PredictorOptions,
} from './predictor/create-crop-predictor.ts';
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
