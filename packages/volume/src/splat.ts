import { createAxisWeights, fillAxisWeights, sumClampedWeights } from './axis-weights.ts';
import type { KernelOptions, VolumeStage } from './options.ts';

/**
 * Draws Gaussians into a volume by Eq. 1 and Eq. 2: V[y, x, k, c] = max over landmarks of colour x Gaussian.
 * Separable and sparse: only voxels inside the cut are visited. Eq. 3 is the case of depth 1 and a normalised depth kernel.
 * @param points [n, dims] in crop unit space; z counts as 0 when dims is 2.
 * @param colors [n, c].
 * @param out [h, w, d, c] from `offset` on; zeros, or values that larger ones replace.
 */
export function splat(
  points: Float32Array,
  dims: 2 | 3,
  stage: VolumeStage,
  colors: Float32Array,
  kernel: KernelOptions,
  out: Float32Array,
  offset = 0,
): void {
  const { width, height, depth } = stage;
  const { sigma } = kernel;
  const count = points.length / dims;
  const channels = colors.length / count;
  const normalized = kernel.depthKernel === 'normalized';
  const reach = -2 * sigma * sigma * Math.log(kernel.cutoff);
  const prefactor = kernelPrefactor(kernel);
  const along = {
    x: createAxisWeights(width),
    y: createAxisWeights(height),
    z: createAxisWeights(depth),
  };
  for (let n = 0; n < count; n++) {
    const z = dims === 3 ? (points[n * dims + 2] + 0.5) * depth - 0.5 : 0;
    fillAxisWeights(along.x, points[n * dims] * width - 0.5, sigma, reach);
    fillAxisWeights(along.y, points[n * dims + 1] * height - 0.5, sigma, reach);
    fillAxisWeights(along.z, z, sigma, reach, normalized);
    const amplitude = normalized ? prefactor / sumClampedWeights(z, sigma, depth) : prefactor;
    const color = colors.subarray(n * channels, (n + 1) * channels);
    for (let y = along.y.from; y <= along.y.to; y++) {
      for (let x = along.x.from; x <= along.x.to; x++) {
        const left = reach - along.y.squares[y] - along.x.squares[x];
        if (left < 0) continue;
        const { squares, weights } = along.z;
        let { from, to } = along.z;
        while (from <= to && squares[from] > left) from++;
        while (to > from && squares[to] > left) to--;
        const value = amplitude * along.y.weights[y] * along.x.weights[x];
        const column = offset + (y * width + x) * depth * channels;
        for (let c = 0; c < channels; c++) {
          if (!(color[c] > 0)) continue;
          const scaled = color[c] * value;
          for (let k = from, at = column + from * channels + c; k <= to; k++, at += channels) {
            const voxel = scaled * weights[k];
            if (voxel > out[at]) out[at] = voxel;
          }
        }
      }
    }
  }
}

/**
 * What multiplies colour and exponentials: (2 pi)^(-3/2) sigma^-3 of Eq. 1 or (2 pi)^-1 sigma^-2 of Eq. 3 (the
 * normalised depth weights supply the rest), times the amplitude's factor.
 */
export function kernelPrefactor({ sigma, amplitude, depthKernel }: KernelOptions): number {
  const line = 1 / (Math.sqrt(2 * Math.PI) * sigma);
  const density = depthKernel === 'normalized' ? line ** 2 : line ** 3;
  return amplitude === 'density' ? density : density / line ** 3;
}
