export {
  type CheckOnnxOptions,
  checkOnnx,
  type OnnxCheck,
  SAVE_ONNX_DEFAULTS,
  type SaveOnnxOptions,
  saveOnnx,
} from './save-onnx.ts';
