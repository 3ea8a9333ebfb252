export { encodeVolumeBatch, marginalizeDepthTensor } from './encode-volume-batch.ts';
