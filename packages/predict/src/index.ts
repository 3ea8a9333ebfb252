export {
  BROWSER_DETECTOR_DEFAULTS,
  type BrowserDetectorOptions,
  createBrowserDetector,
  hasBrowserDetector,
} from './browser-detector.ts';
export { type ConfidenceSample, calibrateConfidence } from './calibrate-confidence.ts';
export {
  type Confidence,
  type ConfidenceCalibration,
  estimateConfidence,
  judgeReading,
  readVolume,
  type VolumeReading,
  type VolumeSize,
} from './confidence.ts';
export { cropsToUnitRange } from './crops.ts';
export { type BoxCalibration, type DetectionHead, FACE_API_CALIBRATION } from './detection-head.ts';
export {
  createDetector,
  DETECTOR_DEFAULTS,
  type DetectedFace,
  type DetectionNetwork,
  type DetectorOptions,
  type FaceDetector,
  type QuarterTurn,
} from './detector.ts';
export {
  createFaceTracker,
  FACE_TRACKER_DEFAULTS,
  type FaceTracker,
  type FaceTrackerOptions,
  type TrackedFace,
} from './face-tracker.ts';
export {
  type DecodedImage,
  type DrawableImage,
  type FaceRequest,
  type ImageSource,
  type TensorImage,
  toPixels,
} from './image-source.ts';
export {
  LOCALIZE_IMAGES_DEFAULTS,
  type LocalizeImagesOptions,
  type LocatedFace,
  type LocatedImage,
  localizeImages,
} from './localize-images.ts';
export {
  type CropRunner,
  createCropPredictor,
  type FaceShape,
  PREDICTOR_DEFAULTS,
  type Predictor,
  type PredictorOptions,
  type RunnerConfidence,
} from './predictor.ts';
