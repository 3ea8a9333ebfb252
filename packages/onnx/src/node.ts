export {
  createOnnxDetector,
  createOnnxPredictor,
  type ExportableModel,
  NODE_SESSION_DEFAULTS,
  type NodeSessionOptions,
  type OnnxDetectorOptions,
  type OnnxPredictorOptions,
} from './runtime/node.ts';
export type { OnnxPredictor } from './runtime/onnx-predictor.ts';
