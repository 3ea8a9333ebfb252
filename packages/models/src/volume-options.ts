import { VOLUME_DEFAULTS, type VolumeOptions } from '@voxface/volume';
import type { FaceShapeModelOptions } from './options.ts';

/** The options with which `createVolumeEncoder` draws exactly the targets of a model's stages. */
export function volumeOptions(options: FaceShapeModelOptions): VolumeOptions {
  const { volumeSize, depths } = options;
  return { ...VOLUME_DEFAULTS, ...options.volume, width: volumeSize, height: volumeSize, depths };
}
