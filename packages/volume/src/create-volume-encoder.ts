import { countLandmarks, type Landmarks, withDefaults } from '@voxface/landmarks';
import { compactColors, perLandmarkColors, randomColors, sortedColors } from './colors.ts';
import {
  checkChoice,
  checkDrawing,
  checkEncodable,
  KERNEL_DEFAULTS,
  type KernelOptions,
  type PlaneStage,
  VOLUME_DEFAULTS,
  type VolumeOptions,
  type VolumeStage,
} from './options.ts';
import { splat } from './splat.ts';

/** Encodes the landmarks of one scheme for all stages of a network. It only encodes: the regressor is the decoder. */
export interface VolumeEncoder {
  readonly options: VolumeOptions;
  /** Number of landmarks n. */
  readonly count: number;
  /** Channels c: 3 in colour, 1 compact, n per landmark. */
  readonly channels: number;
  /** [n, c]. */
  readonly colors: Float32Array;
  /** Sizes of the volumes, coarse to fine. */
  readonly stages: readonly VolumeStage[];
  /**
   * Ground-truth volumes of every stage, Eq. 1 and Eq. 2.
   * @param unit [n, 3] in crop unit space.
   * @returns one [h, w, d, c] per stage.
   */
  encode(unit: Landmarks<3>): Float32Array[];
  /** Draws stage `index` into `out`, zeros from `offset` on: for batches laid one after the other. */
  encodeStage(unit: Landmarks<3>, index: number, out: Float32Array, offset: number): void;
  /**
   * Ground-truth heatmap, Eq. 3; z is not looked at.
   * @param unit [n, 2 or 3] in crop unit space.
   * @returns [h, w, c].
   */
  encodePlane(unit: Landmarks): Float32Array;
}

/**
 * Creates the encoder of `count` landmarks.
 * @throws RangeError for sizes or options out of range; its functions for landmarks of another count, 2D landmarks
 * given to `encode`, and non-finite coordinates.
 * @example
 * ```js
 * import { createLandmarks } from '@voxface/landmarks';
 * import { createVolumeEncoder } from '@voxface/volume';
 *
 * const encoder = createVolumeEncoder(2, { width: 8, height: 8, depths: [1, 4] });
 * const stages = encoder.encode(createLandmarks([0.3, 0.5, 0, 0.7, 0.5, 0.1], 3));
 * console.log(...stages.map((stage) => stage.length)); // => 192 768
 * ```
 */
export function createVolumeEncoder(count: number, options: Partial<VolumeOptions> = {}): VolumeEncoder {
  const name = 'createVolumeEncoder';
  const resolved = withDefaults(VOLUME_DEFAULTS, options);
  const { width, height, depths } = resolved;
  if (!(Number.isInteger(count) && count > 0)) {
    throw new RangeError(`${name}: count must be a positive integer, got ${count} (number of landmarks)`);
  }
  if (depths.length === 0) throw new RangeError(`${name}: depths must not be empty, got [] (one per stage)`);
  const stages = depths.map((depth) => ({ width, height, depth }));
  for (const stage of stages) checkDrawing(name, stage, resolved);
  const colors = makeColors(count, resolved);
  const channels = colors.length / count;
  const check = (unit: Landmarks, dims: 2 | 3): void => {
    if (countLandmarks(unit) !== count) {
      throw new RangeError(
        `VolumeEncoder.encode: expected ${count} landmarks, got ${countLandmarks(unit)} (create the encoder for this count)`,
      );
    }
    checkEncodable('VolumeEncoder.encode', unit, dims, colors);
  };
  const room = (depth: number): Float32Array => new Float32Array(width * height * depth * channels);
  return {
    options: resolved,
    count,
    channels,
    colors,
    stages,
    encode(unit) {
      check(unit, 3);
      const volumes = depths.map(room);
      splat(unit.points, 3, resolved, depths, colors, resolved, volumes);
      return volumes;
    },
    encodeStage(unit, index, out, offset) {
      check(unit, 3);
      splat(unit.points, 3, resolved, [depths[index]], colors, resolved, [out], offset);
    },
    encodePlane(unit) {
      check(unit, 2);
      const heatmap = room(1);
      splat(unit.points, unit.dims, resolved, [1], colors, planeKernel(resolved), [heatmap]);
      return heatmap;
    },
  };
}

function makeColors(count: number, { colors, seed }: VolumeOptions): Float32Array {
  checkChoice('createVolumeEncoder', 'colors', colors, ['sorted', 'random', 'compact', 'per-landmark']);
  switch (colors) {
    case 'sorted':
      return sortedColors(count);
    case 'random':
      return randomColors(count, seed);
    case 'compact':
      return compactColors(count);
    case 'per-landmark':
      return perLandmarkColors(count);
  }
}

/**
 * The semantic volume of one face, Eq. 1 and Eq. 2: per channel the maximum over landmarks of colour x Gaussian.
 * Centres are continuous: voxel = u * size - 0.5 along x and y, (z + 0.5) * d - 0.5 along z.
 * @param unit [n, 3] in crop unit space (x, y in 0..1, z in crop sides, zero mean).
 * @param colors [n, c], see `sortedColors`.
 * @returns [h, w, d, c], c fastest.
 * @throws RangeError for 2D or non-finite landmarks, colours of another count, sizes or options out of range.
 * @example
 * ```js
 * import { createLandmarks } from '@voxface/landmarks';
 * import { encodeVolume, sortedColors } from '@voxface/volume';
 *
 * const unit = createLandmarks([0.5, 0.5, 0], 3);
 * const volume = encodeVolume(unit, { width: 8, height: 8, depth: 4 }, sortedColors(1));
 * console.log(volume.length); // => 768
 * ```
 */
export function encodeVolume(
  unit: Landmarks<3>,
  stage: VolumeStage,
  colors: Float32Array,
  options: Partial<KernelOptions> = {},
): Float32Array {
  const kernel = withDefaults(KERNEL_DEFAULTS, options);
  checkDrawing('encodeVolume', stage, kernel);
  checkEncodable('encodeVolume', unit, 3, colors);
  const channels = (colors.length / unit.points.length) * 3;
  const volume = new Float32Array(stage.width * stage.height * stage.depth * channels);
  splat(unit.points, unit.dims, stage, [stage.depth], colors, kernel, [volume]);
  return volume;
}

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
  const kernel = planeKernel(withDefaults(KERNEL_DEFAULTS, options));
  const plane = { width: stage.width, height: stage.height, depth: 1 };
  checkDrawing('encodeHeatmap', plane, kernel);
  checkEncodable('encodeHeatmap', unit, 2, colors);
  const channels = (colors.length / unit.points.length) * unit.dims;
  const heatmap = new Float32Array(plane.width * plane.height * channels);
  splat(unit.points, unit.dims, plane, [1], colors, kernel, [heatmap]);
  return heatmap;
}

/** Eq. 3 is Eq. 1 on one slice whose depth weight is 1. */
function planeKernel(kernel: KernelOptions): KernelOptions {
  return { ...kernel, depthKernel: 'normalized' };
}
