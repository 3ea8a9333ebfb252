export {
  createOnnxPredictor,
  ONNX_WEB_PREDICTOR_DEFAULTS,
  type OnnxWebPredictorOptions,
  type OnnxWebRuntime,
} from './create-web-predictor.ts';
export type { OnnxPredictor } from './session-predictor.ts';
