export { type ExportDetectorOptions, exportDetector } from './export-detector.ts';
export {
  EXPORT_NETWORK_DEFAULTS,
  EXPORT_ONNX_DEFAULTS,
  type ExportNetworkOptions,
  type ExportOnnxOptions,
  exportNetwork,
  exportOnnx,
} from './export-onnx.ts';
export type { OnnxPrecision } from './finish-graph.ts';
export { SUPPORTED_LAYERS } from './layers/converters.ts';
