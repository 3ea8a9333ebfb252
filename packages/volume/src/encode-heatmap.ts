import type { Landmarks } from '@voxface/landmarks';
import { checkDrawing, checkLandmarks } from './check.ts';
import { KERNEL_DEFAULTS, type KernelOptions, type PlaneStage, resolveOptions } from './options.ts';
import { splat } from './splat.ts';

/**
 * The semantic heatmap of one face, Eq. 3: per channel the maximum over landmarks of colour x planar Gaussian.
 * @param unit [n, 2 or 3] in crop unit space; z is not looked at.
 * @param colors [n, c].
 * @returns [h, w, c], c fastest.
 * @throws RangeError for non-finite landmarks, colours of another count, sizes or options out of range.
 */
export function encodeHeatmap(
  unit: Landmarks,
  stage: PlaneStage,
  colors: Float32Array,
  options: Partial<KernelOptions> = {},
): Float32Array {
  const kernel = planeKernel(resolveOptions(KERNEL_DEFAULTS, options));
  const plane = { width: stage.width, height: stage.height, depth: 1 };
  checkDrawing('encodeHeatmap', plane, kernel);
  checkLandmarks('encodeHeatmap', unit, 2, colors);
  const channels = (colors.length / unit.points.length) * unit.dims;
  const heatmap = new Float32Array(plane.width * plane.height * channels);
  splat(unit.points, unit.dims, plane, [1], colors, kernel, [heatmap]);
  return heatmap;
}

/** Eq. 3 is Eq. 1 on one slice whose depth weight is 1. */
export function planeKernel(kernel: KernelOptions): KernelOptions {
  return { ...kernel, depthKernel: 'normalized' };
}
