export { type OnnxModelInfo, readMetadata, readModelInfo } from './metadata.ts';
