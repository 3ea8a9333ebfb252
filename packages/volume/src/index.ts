export { compactColors, perLandmarkColors, randomColors, sortedColors } from './colors.ts';
export { createVolumeEncoder, type VolumeEncoder } from './create-volume-encoder.ts';
export { encodeHeatmap } from './encode-heatmap.ts';
export { encodeVolume } from './encode-volume.ts';
export { marginalizeDepth } from './marginalize-depth.ts';
export {
  KERNEL_DEFAULTS,
  type KernelOptions,
  type PlaneStage,
  VOLUME_DEFAULTS,
  type VolumeOptions,
  type VolumeShape,
  type VolumeStage,
} from './options.ts';
export { sampleVolume, type VolumeCloud } from './sample-volume.ts';
export { formatVolumeMemory, type VolumeMemory, volumeMemory } from './volume-memory.ts';
