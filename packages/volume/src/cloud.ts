import { createRandom, withDefaults } from '@voxface/landmarks';
import { hueColor, mixColors, type Rgb } from './colors.ts';
import type { VolumeShape } from './options.ts';

export interface CloudOptions {
  /** Number of points drawn from the volume. @default 6000 */
  points?: number;
  /** Voxels under this share of the largest density are left out. @default 0.08 */
  threshold?: number;
  /** Density is raised to this power before it is sampled; under 1 shows faint parts better. @default 1 */
  power?: number;
  /** @default 0 */
  seed?: number;
}

export const CLOUD_DEFAULTS: Required<CloudOptions> = { points: 6000, threshold: 0.08, power: 1, seed: 0 };

/** Points drawn from a volume. */
export interface PointCloud {
  /** [p, 3] crop unit space: x, y in 0..1, z in -0.5..0.5, +z away from the camera. */
  readonly positions: Float32Array;
  /** [p, 3] RGB in 0..1, brightest channel 1. */
  readonly colors: Float32Array;
  /** [p] density over the largest density. */
  readonly density: Float32Array;
}

/**
 * Draws points from a volume in proportion to its density (the largest channel, negative values count as 0):
 * systematic sampling, each point placed at random inside its voxel. The same input makes the same points.
 * Three channels are shown as RGB, one channel from blue to yellow by density, other numbers by hue of the
 * strongest channel.
 * @param volume [h, w, d, c], c fastest.
 * @throws RangeError when the length is not h w d c, a value is not finite, or no voxel is positive.
 * @example
 * ```js
 * import { createLandmarks } from '@voxface/landmarks';
 * import { encodeVolume, sampleCloud, sortedColors } from '@voxface/volume';
 *
 * const stage = { width: 8, height: 8, depth: 8 };
 * const volume = encodeVolume(createLandmarks([0.5, 0.5, 0], 3), stage, sortedColors(1));
 * const { positions } = sampleCloud(volume, { ...stage, channels: 3 }, { points: 100 });
 * console.log(positions.length); // => 300
 * ```
 */
export function sampleCloud(
  volume: Float32Array,
  shape: VolumeShape,
  options: CloudOptions = {},
): PointCloud {
  const { points, threshold, power, seed } = withDefaults(CLOUD_DEFAULTS, options);
  const { height, width, depth, channels } = shape;
  const voxels = height * width * depth;
  if (!(voxels > 0) || volume.length !== voxels * channels) {
    throw new RangeError(
      `sampleCloud: expected ${height} x ${width} x ${depth} x ${channels} values, got ${volume.length} (pass one volume [h, w, d, c])`,
    );
  }
  const density = densityOf(volume, voxels, channels);
  const peak = density.reduce((a, b) => Math.max(a, b), 0);
  if (!(peak > 0)) throw new RangeError('sampleCloud: expected a positive voxel, got an empty volume');
  let total = 0;
  for (let i = 0; i < voxels; i++) {
    density[i] = density[i] < threshold * peak ? 0 : density[i] / peak;
    if (density[i] > 0) total += density[i] ** power;
  }
  const random = createRandom(seed);
  const cloud: PointCloud = {
    positions: new Float32Array(points * 3),
    colors: new Float32Array(points * 3),
    density: new Float32Array(points),
  };
  let sum = 0;
  let drawn = 0;
  const start = random.next();
  for (let i = 0; i < voxels; i++) {
    if (density[i] === 0) continue;
    sum += density[i] ** power;
    // The last sum is the total, added in the same order: exactly `points` are drawn.
    for (; ((drawn + start) * total) / points < sum; drawn++) {
      const z = i % depth;
      const x = Math.floor(i / depth) % width;
      const y = Math.floor(i / (depth * width));
      cloud.positions.set(
        [(x + random.next()) / width, (y + random.next()) / height, (z + random.next()) / depth - 0.5],
        drawn * 3,
      );
      cloud.colors.set(voxelColor(volume.subarray(i * channels, (i + 1) * channels), density[i]), drawn * 3);
      cloud.density[drawn] = density[i];
    }
  }
  return cloud;
}

function densityOf(volume: Float32Array, voxels: number, channels: number): Float64Array {
  const density = new Float64Array(voxels);
  for (let i = 0; i < voxels; i++) {
    for (let c = 0; c < channels; c++) {
      const value = volume[i * channels + c];
      if (!Number.isFinite(value)) {
        throw new RangeError(`sampleCloud: voxels must be finite, got ${value} at voxel ${i}`);
      }
      if (value > density[i]) density[i] = value;
    }
  }
  return density;
}

function voxelColor(values: Float32Array, density: number): Rgb {
  if (values.length === 1) return mixColors([0.16, 0.32, 0.86], [1, 0.88, 0.2], density);
  const clean = Array.from(values, (v) => Math.max(0, v));
  const peak = Math.max(...clean);
  if (values.length === 3) return [clean[0] / peak, clean[1] / peak, clean[2] / peak];
  return hueColor(clean.indexOf(peak) / values.length);
}
