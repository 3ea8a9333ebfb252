import { type AxisWeights, createAxisWeights, fillAxisWeights, sumClampedWeights } from './axis-weights.ts';
import type { KernelOptions, PlaneStage } from './options.ts';

/**
 * Draws Gaussians into volumes by Eq. 1 and Eq. 2: V[y, x, k, c] = max over landmarks of colour x Gaussian. Separable
 * and sparse: only voxels inside the cut are visited. Eq. 3 is the case of depth 1 and a normalised depth kernel.
 * @param points [n, dims] in crop unit space; z counts as 0 when dims is 2.
 * @param depths one per volume; all volumes share width and height.
 * @param colors [n, c].
 * @param outs [h, w, d, c] each, from `offset` on; zeros, or values that larger ones replace.
 */
export function splat(
  points: Float32Array,
  dims: 2 | 3,
  { width, height }: PlaneStage,
  depths: readonly number[],
  colors: Float32Array,
  kernel: KernelOptions,
  outs: readonly Float32Array[],
  offset = 0,
): void {
  const { sigma } = kernel;
  const count = points.length / dims;
  const channels = colors.length / count;
  const normalized = kernel.depthKernel === 'normalized';
  const reach = -2 * sigma * sigma * Math.log(kernel.cutoff);
  const prefactor = kernelPrefactor(kernel);
  const alongX = createAxisWeights(width);
  const alongY = createAxisWeights(height);
  const alongZ = depths.map(createAxisWeights);
  const scales = new Float64Array(channels);
  for (let n = 0; n < count; n++) {
    fillAxisWeights(alongX, points[n * dims] * width - 0.5, sigma, reach);
    fillAxisWeights(alongY, points[n * dims + 1] * height - 0.5, sigma, reach);
    for (let m = 0; m < depths.length; m++) {
      const z = dims === 3 ? (points[n * dims + 2] + 0.5) * depths[m] - 0.5 : 0;
      fillAxisWeights(alongZ[m], z, sigma, reach, normalized);
      const amplitude = normalized ? prefactor / sumClampedWeights(z, sigma, depths[m]) : prefactor;
      for (let c = 0; c < channels; c++) scales[c] = colors[n * channels + c] * amplitude;
      maximizeGaussian(alongX, alongY, alongZ[m], reach, scales, outs[m], offset);
    }
  }
}

/** out = max(out, scale of the channel * Gaussian) inside the cut; channels of scale 0 leave zeros alone. */
function maximizeGaussian(
  alongX: AxisWeights,
  alongY: AxisWeights,
  alongZ: AxisWeights,
  reach: number,
  scales: Float64Array,
  out: Float32Array,
  offset: number,
): void {
  const channels = scales.length;
  const width = alongX.weights.length;
  const { weights } = alongZ;
  const depth = weights.length;
  for (let c = 0; c < channels; c++) {
    if (scales[c] === 0) continue;
    // A saturated hue has at most two channels that are not zero: one pass over the voxels draws two.
    let next = c + 1;
    while (next < channels && scales[next] === 0) next++;
    const second = next < channels ? next : c;
    for (let y = alongY.from; y <= alongY.to; y++) {
      const leftInRow = reach - (y - alongY.center) ** 2;
      const halfRow = Math.sqrt(leftInRow);
      const lastX = Math.min(alongX.to, Math.floor(alongX.center + halfRow));
      for (let x = Math.max(alongX.from, Math.ceil(alongX.center - halfRow)); x <= lastX; x++) {
        const plane = alongY.weights[y] * alongX.weights[x];
        const a = scales[c] * plane;
        const b = scales[second] * plane;
        const half = Math.sqrt(leftInRow - (x - alongX.center) ** 2 + alongZ.offset);
        const from = Math.max(alongZ.from, Math.ceil(alongZ.center - half));
        const to = Math.min(alongZ.to, Math.floor(alongZ.center + half));
        let at = offset + ((y * width + x) * depth + from) * channels;
        for (let k = from; k <= to; k++, at += channels) {
          const weight = weights[k];
          if (a * weight > out[at + c]) out[at + c] = a * weight;
          if (b * weight > out[at + second]) out[at + second] = b * weight;
        }
      }
    }
    c = second;
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
