import type { Random } from '@voxface/landmarks';
import type { VolumeShape } from './options.ts';

/** A volume as a cloud of coloured points. */
export interface VolumeCloud {
  /** [count, 3] in crop unit space. */
  readonly points: Float32Array;
  /** [count, 3] red green blue in 0..1, the brightest channel 1; grey for one channel. */
  readonly colors: Float32Array;
}

/**
 * Draws points from a volume for display: voxels in proportion to their brightest channel, places inside a voxel
 * evenly. Negative values count as 0.
 * @param volume [h, w, d, c] with c = 1 or 3.
 * @throws RangeError when the length or c does not fit, or nothing in the volume is positive.
 */
export function sampleVolume(
  volume: Float32Array,
  shape: VolumeShape,
  count: number,
  random: Random,
): VolumeCloud {
  const { width, height, depth, channels } = shape;
  const voxels = width * height * depth;
  if (volume.length !== voxels * channels || (channels !== 1 && channels !== 3)) {
    throw new RangeError(
      `sampleVolume: expected ${height} x ${width} x ${depth} x 1 or 3 values, got ${volume.length} of ${channels} channels`,
    );
  }
  const cumulated = new Float64Array(voxels);
  let total = 0;
  for (let i = 0; i < voxels; i++) {
    total += brightest(volume, i, channels);
    cumulated[i] = total;
  }
  if (!(total > 0))
    throw new RangeError(`sampleVolume: the volume must hold something positive, got a sum of ${total}`);
  const points = new Float32Array(count * 3);
  const colors = new Float32Array(count * 3);
  for (let n = 0; n < count; n++) {
    const voxel = firstAbove(cumulated, random.next() * total);
    const cell = Math.floor(voxel / depth);
    points[3 * n] = ((cell % width) + random.next()) / width;
    points[3 * n + 1] = (Math.floor(cell / width) + random.next()) / height;
    points[3 * n + 2] = ((voxel % depth) + random.next()) / depth - 0.5;
    const peak = brightest(volume, voxel, channels);
    for (let c = 0; c < 3; c++) {
      const value = volume[voxel * channels + (channels === 3 ? c : 0)];
      colors[3 * n + c] = Math.max(0, value) / peak;
    }
  }
  return { points, colors };
}

function brightest(volume: Float32Array, voxel: number, channels: number): number {
  let most = 0;
  for (let c = 0; c < channels; c++) most = Math.max(most, volume[voxel * channels + c]);
  return most;
}

/** First index whose value is above `threshold` in an ascending array. */
function firstAbove(ascending: Float64Array, threshold: number): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] > threshold) high = middle;
    else low = middle + 1;
  }
  return low;
}
