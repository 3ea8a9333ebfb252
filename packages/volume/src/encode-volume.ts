import type { Landmarks } from '@voxface/landmarks';
import { checkDrawing, checkLandmarks } from './check.ts';
import { KERNEL_DEFAULTS, type KernelOptions, resolveOptions, type VolumeStage } from './options.ts';
import { splat } from './splat.ts';

/**
 * The semantic volume of one face, Eq. 1 and Eq. 2: per channel the maximum over landmarks of colour x Gaussian.
 * Centres are continuous: voxel = u * size - 0.5 along x and y, (z + 0.5) * d - 0.5 along z.
 * @param unit [n, 3] in crop unit space (x, y in 0..1, z in crop sides, zero mean).
 * @param colors [n, c], see `sortedColors`.
 * @returns [h, w, d, c], c fastest.
 * @throws RangeError for 2D or non-finite landmarks, colours of another count, sizes or options out of range.
 */
export function encodeVolume(
  unit: Landmarks<3>,
  stage: VolumeStage,
  colors: Float32Array,
  options: Partial<KernelOptions> = {},
): Float32Array {
  const kernel = resolveOptions(KERNEL_DEFAULTS, options);
  checkDrawing('encodeVolume', stage, kernel);
  checkLandmarks('encodeVolume', unit, 3, colors);
  const channels = (colors.length / unit.points.length) * 3;
  const volume = new Float32Array(stage.width * stage.height * stage.depth * channels);
  splat(unit.points, unit.dims, stage, [stage.depth], colors, kernel, [volume]);
  return volume;
}
