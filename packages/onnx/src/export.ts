export {
  EXPORT_NETWORK_DEFAULTS,
  EXPORT_ONNX_DEFAULTS,
  type ExportDetectorOptions,
  type ExportNetworkOptions,
  type ExportOnnxOptions,
  exportDetector,
  exportNetwork,
  exportOnnx,
} from './export-onnx.ts';
export type { OnnxPrecision } from './finish-graph.ts';
export { SUPPORTED_LAYERS } from './layers/converters.ts';
