export { CLOUD_DEFAULTS, type CloudOptions, type PointCloud, sampleCloud } from './cloud.ts';
export {
  compactColors,
  hueColor,
  mixColors,
  perLandmarkColors,
  type Rgb,
  randomColors,
  sortedColors,
} from './colors.ts';
export {
  createVolumeEncoder,
  encodeHeatmap,
  encodeVolume,
  type VolumeEncoder,
} from './create-volume-encoder.ts';
export { marginalizeDepth } from './marginalize-depth.ts';
export {
  formatVolumeMemory,
  KERNEL_DEFAULTS,
  type KernelOptions,
  type PlaneStage,
  VOLUME_DEFAULTS,
  type VolumeMemory,
  type VolumeOptions,
  type VolumeShape,
  type VolumeStage,
  volumeMemory,
} from './options.ts';
