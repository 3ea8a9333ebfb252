import type { Pixels } from '@voxface/landmarks';

/** Square target of a rasterisation: nearest depth, and up to two values carried along from the corners. */
interface Raster {
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

/**
 * Reads the photo at each raster pixel's carried position: bilinear, mirrored at the photo's borders; where the output
 * shrinks the photo, the mean of k x k samples over one output pixel.
 * @param step photo pixels per output pixel.
 * @returns RGB bytes [size, size, 3], black where nothing was drawn.
 */
export function samplePixels(image: Pixels, raster: Raster, step: number): Uint8Array {
  const { data, width, height, channels } = image;
  const { size, depth, values } = raster;
  const taps = Math.min(4, Math.max(1, Math.ceil(step - 0.5)));
  const weight = 1 / (taps * taps);
  const output = new Uint8Array(size * size * 3);
  for (let at = 0; at < size * size; at++) {
    if (depth[at] === Infinity) continue;
    let red = 0;
    let green = 0;
    let blue = 0;
    for (let tap = 0; tap < taps * taps; tap++) {
      const x = values[2 * at] + (((tap % taps) + 0.5) / taps - 0.5) * step;
      const y = values[2 * at + 1] + ((Math.floor(tap / taps) + 0.5) / taps - 0.5) * step;
      const left = Math.floor(x);
      const top = Math.floor(y);
      const fx = x - left;
      const fy = y - top;
      const x0 = mirror(left, width);
      const x1 = mirror(left + 1, width);
      const y0 = mirror(top, height) * width;
      const y1 = mirror(top + 1, height) * width;
      const a = (y0 + x0) * channels;
      const b = (y0 + x1) * channels;
      const c = (y1 + x0) * channels;
      const d = (y1 + x1) * channels;
      const wa = (1 - fx) * (1 - fy);
      const wb = fx * (1 - fy);
      const wc = (1 - fx) * fy;
      const wd = fx * fy;
      red += wa * data[a] + wb * data[b] + wc * data[c] + wd * data[d];
      green += wa * data[a + 1] + wb * data[b + 1] + wc * data[c + 1] + wd * data[d + 1];
      blue += wa * data[a + 2] + wb * data[b + 2] + wc * data[c + 2] + wd * data[d + 2];
    }
    output[3 * at] = red * weight + 0.5;
    output[3 * at + 1] = green * weight + 0.5;
    output[3 * at + 2] = blue * weight + 0.5;
  }
  return output;
}

/** Share of the photo's side that is mirrored at its borders before it turns around: short of the face. */
const MIRRORED = 0.1;

/** Index of `at` in a line of `length` pixels continued at its ends by a mirrored margin, back and forth. */
function mirror(at: number, length: number): number {
  if (at >= 0 && at < length) return at;
  const margin = Math.max(1, Math.floor(length * MIRRORED));
  const beyond = at < 0 ? -1 - at : at - length;
  const within = beyond % (2 * margin);
  const inward = Math.min(length - 1, within < margin ? within : 2 * margin - 1 - within);
  return at < 0 ? inward : length - 1 - inward;
}

/**
 * Smooths the stair steps along depth edges: there each pixel becomes the weighted mean of its 3 x 3 neighbours.
 * @param data RGB [size, size, 3], changed in place.
 * @param jump depth difference to a neighbour, in the raster's depth unit, that makes an edge.
 */
export function softenEdges(data: Uint8Array, raster: Raster, jump: number): void {
  const { size, depth } = raster;
  const before = data.slice();
  for (let y = 1; y < size - 1; y++) {
    for (let x = 1; x < size - 1; x++) {
      const at = y * size + x;
      const z = depth[at];
      const edge =
        Math.abs(depth[at - 1] - z) > jump ||
        Math.abs(depth[at + 1] - z) > jump ||
        Math.abs(depth[at - size] - z) > jump ||
        Math.abs(depth[at + size] - z) > jump;
      if (!edge) continue;
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0;
        for (let dy = -1; dy <= 1; dy++) {
          for (let dx = -1; dx <= 1; dx++) {
            sum += (2 - Math.abs(dx)) * (2 - Math.abs(dy)) * before[3 * (at + dy * size + dx) + channel];
          }
        }
        data[3 * at + channel] = sum / 16 + 0.5;
      }
    }
  }
}
