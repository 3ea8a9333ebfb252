export type { OnnxPredictor } from './runtime/onnx-predictor.ts';
export {
  createOnnxDetector,
  createOnnxPredictor,
  type OnnxDetectorOptions,
  type OnnxPredictorOptions,
  type OnnxWebRuntime,
  WEB_SESSION_DEFAULTS,
  type WebSessionOptions,
} from './runtime/web.ts';
