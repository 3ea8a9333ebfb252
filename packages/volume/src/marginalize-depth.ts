import type { VolumeShape } from './options.ts';

/**
 * Eq. 4: the heatmap that a volume casts along z, H = sum over k of V.
 * @param volume [h, w, d, c], c fastest.
 * @returns [h, w, c].
 * @throws RangeError when the length is not that of the shape.
 * @example
 * ```js
 * import { marginalizeDepth } from '@voxface/volume';
 *
 * const volume = new Float32Array(4 * 4 * 2 * 3).fill(1); // [h, w, d, c]
 * const heatmap = marginalizeDepth(volume, { width: 4, height: 4, depth: 2, channels: 3 });
 * console.log(heatmap.length, heatmap[0]); // => 48 2
 * ```
 */
export function marginalizeDepth(volume: Float32Array, shape: VolumeShape): Float32Array {
  const { width, height, depth, channels } = shape;
  const cells = width * height;
  if (volume.length !== cells * depth * channels) {
    throw new RangeError(
      `marginalizeDepth: expected ${height} x ${width} x ${depth} x ${channels} values, got ${volume.length}`,
    );
  }
  const heatmap = new Float32Array(cells * channels);
  for (let cell = 0; cell < cells; cell++) {
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (let k = 0; k < depth; k++) sum += volume[(cell * depth + k) * channels + c];
      heatmap[cell * channels + c] = sum;
    }
  }
  return heatmap;
}
