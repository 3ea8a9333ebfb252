export { EXPORT_NETWORK_DEFAULTS, type ExportNetworkOptions, exportNetwork } from './export-network.ts';
export { EXPORT_ONNX_DEFAULTS, type ExportOnnxOptions, exportOnnx } from './export-onnx.ts';
export type { OnnxPrecision } from './finish-graph.ts';
export { readMetadata } from './format/read-metadata.ts';
export { SUPPORTED_LAYERS } from './layers/converters.ts';
export { type OnnxModelInfo, readModelInfo } from './metadata.ts';
