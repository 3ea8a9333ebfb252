export { type CheckOnnxOptions, checkOnnx, type OnnxCheck } from './check-onnx.ts';
export {
  createOnnxPredictor,
  ONNX_PREDICTOR_DEFAULTS,
  type OnnxPredictorOptions,
} from './create-node-predictor.ts';
export { createOnnxDetector, type OnnxDetectorOptions } from './create-onnx-detector.ts';
export {
  LOCALIZE_PHOTOS_DEFAULTS,
  type LocalizePhotosOptions,
  type LocatedPhoto,
  localizePhotos,
} from './photos/localize-photos.ts';
export type { PhotoRequest } from './photos/photo-job.ts';
export { SAVE_ONNX_DEFAULTS, type SaveOnnxOptions, saveOnnx } from './save-onnx.ts';
export type { OnnxPredictor } from './session-predictor.ts';
