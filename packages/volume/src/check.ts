import { countLandmarks, type Landmarks } from '@voxface/landmarks';
import type { KernelOptions, VolumeStage } from './options.ts';

/** Throws unless stage and kernel can be drawn; `caller` names the function in the message. */
export function checkDrawing(caller: string, stage: VolumeStage, kernel: KernelOptions): void {
  for (const [name, size] of Object.entries({
    width: stage.width,
    height: stage.height,
    depth: stage.depth,
  })) {
    if (!(Number.isInteger(size) && size > 0)) {
      throw new RangeError(`${caller}: ${name} must be a positive integer, got ${size}`);
    }
  }
  if (!(kernel.sigma > 0 && Number.isFinite(kernel.sigma))) {
    throw new RangeError(`${caller}: sigma must be positive and finite, got ${kernel.sigma} (voxels)`);
  }
  if (!(kernel.cutoff >= 0 && kernel.cutoff < 1)) {
    throw new RangeError(
      `${caller}: cutoff must be in [0, 1), got ${kernel.cutoff} (0 draws the whole Gaussian)`,
    );
  }
  checkChoice(caller, 'amplitude', kernel.amplitude, ['density', 'peak']);
  checkChoice(caller, 'depthKernel', kernel.depthKernel, ['normalized', 'literal']);
}

/** Throws unless `value` is one of `allowed`. */
export function checkChoice(caller: string, name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value)) {
    throw new RangeError(`${caller}: ${name} must be one of ${allowed.join(', ')}, got ${value}`);
  }
}

/** Throws unless the landmarks are finite, have `dims` coordinates and `colors` holds whole rows for each of them. */
export function checkLandmarks(caller: string, unit: Landmarks, dims: 2 | 3, colors: Float32Array): void {
  if (unit.dims < dims) {
    throw new RangeError(`${caller}: expected 3D landmarks, got 2D (use encodeHeatmap)`);
  }
  const count = countLandmarks(unit);
  if (colors.length === 0 || colors.length % count !== 0) {
    throw new RangeError(
      `${caller}: colors must be [n, c] with n = ${count} landmarks, got ${colors.length} values`,
    );
  }
  const bad = unit.points.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new RangeError(
      `${caller}: landmarks must be finite, got ${unit.points[bad]} at landmark ${Math.floor(bad / unit.dims)}`,
    );
  }
}
