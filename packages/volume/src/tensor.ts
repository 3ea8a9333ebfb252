export { encodeVolumeBatch, hasVolumeKernel, marginalizeDepthTensor } from './encode-volume-batch.ts';
