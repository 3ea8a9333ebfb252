/** Square target of a rasterisation: nearest depth, and up to two values carried along from the corners. */
export interface Raster {
  readonly size: number;
  /** [size, size], Infinity where nothing was drawn; smaller is nearer. */
  readonly depth: Float32Array;
  /** [size, size, 2]. */
  readonly values: Float32Array;
}

/** An empty raster. */
export function createRaster(size: number): Raster {
  return {
    size,
    depth: new Float32Array(size * size).fill(Infinity),
    values: new Float32Array(size * size * 2),
  };
}

/**
 * Draws triangles with a z-buffer: pixel centres at integer coordinates, depth and values interpolated linearly
 * (orthographic). Both faces of a triangle are drawn; of equally near triangles the first stays.
 * @param points [v, 3] raster pixels and depth.
 * @param triangles [t, 3].
 * @param values [v, 2] carried along; absent: only depth is drawn.
 */
export function rasterize(
  raster: Raster,
  points: ArrayLike<number>,
  triangles: ArrayLike<number>,
  values?: ArrayLike<number>,
): void {
  const { size, depth } = raster;
  const last = size - 1;
  for (let t = 0; t < triangles.length; t += 3) {
    const [a, b, c] = [3 * triangles[t], 3 * triangles[t + 1], 3 * triangles[t + 2]];
    const ax = points[a];
    const ay = points[a + 1];
    const abx = points[b] - ax;
    const aby = points[b + 1] - ay;
    const acx = points[c] - ax;
    const acy = points[c + 1] - ay;
    const area = abx * acy - aby * acx;
    if (area === 0) continue;
    const left = Math.max(0, Math.ceil(ax + Math.min(0, abx, acx)));
    const right = Math.min(last, Math.floor(ax + Math.max(0, abx, acx)));
    const top = Math.max(0, Math.ceil(ay + Math.min(0, aby, acy)));
    const bottom = Math.min(last, Math.floor(ay + Math.max(0, aby, acy)));
    if (left > right) continue;
    const az = points[a + 2];
    const abz = points[b + 2] - az;
    const acz = points[c + 2] - az;
    const inverse = 1 / area;
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const px = x - ax;
        const py = y - ay;
        const u = (px * acy - py * acx) * inverse;
        const v = (abx * py - aby * px) * inverse;
        if (u < -1e-6 || v < -1e-6 || u + v > 1.000001) continue;
        const z = az + u * abz + v * acz;
        const at = y * size + x;
        if (z >= depth[at]) continue;
        depth[at] = z;
        if (values) {
          for (let k = 0; k < 2; k++) {
            const value = values[2 * triangles[t] + k];
            raster.values[2 * at + k] =
              value +
              u * (values[2 * triangles[t + 1] + k] - value) +
              v * (values[2 * triangles[t + 2] + k] - value);
          }
        }
      }
    }
  }
}
