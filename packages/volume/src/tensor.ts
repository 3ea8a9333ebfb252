export { encodeVolumeBatch } from './encode-volume-batch.ts';
export { marginalizeDepthTensor } from './marginalize-depth-tensor.ts';
