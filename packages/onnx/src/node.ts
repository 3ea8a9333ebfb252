export {
  LOCALIZE_PHOTOS_DEFAULTS,
  type LocalizePhotosOptions,
  type LocatedPhoto,
  localizePhotos,
} from './photos/localize-photos.ts';
export type { PhotoRequest } from './photos/photo-job.ts';
export {
  createOnnxDetector,
  createOnnxPredictor,
  NODE_SESSION_DEFAULTS,
  type NodeSessionOptions,
  type OnnxDetectorOptions,
  type OnnxPredictorOptions,
} from './runtime/node.ts';
export type { OnnxPredictor } from './runtime/onnx-predictor.ts';
