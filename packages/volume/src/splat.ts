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

/** One landmark's Gaussian along one axis: `weights` of the cells `from` to `to`; empty when `to < from`. */
interface AxisWeights {
  /** The landmark's coordinate in cells. */
  center: number;
  /** What squared distances are lessened by: that of the nearest point of the grid when clamped, else 0. */
  offset: number;
  from: number;
  to: number;
  /** exp(-square / 2 sigma^2). */
  readonly weights: Float64Array;
}

/** Room for an axis of `size` cells, to be filled again and again. */
function createAxisWeights(size: number): AxisWeights {
  return { center: 0, offset: 0, from: 0, to: -1, weights: new Float64Array(size) };
}

/**
 * Fills `axis` with the cells that lie inside the cut.
 * @param center the landmark's coordinate in cells.
 * @param reach squared radius of the cut, cells^2.
 * @param clamped measures distances from the nearest point of the grid, so that a landmark outside still has weights.
 */
export function fillAxisWeights(
  axis: AxisWeights,
  center: number,
  sigma: number,
  reach: number,
  clamped = false,
): void {
  const { weights } = axis;
  const last = weights.length - 1;
  const offset = clamped ? (center - Math.min(Math.max(center, 0), last)) ** 2 : 0;
  const radius = Math.sqrt(reach + offset);
  const from = Math.max(0, Math.ceil(center - radius));
  const to = Math.min(last, Math.floor(center + radius));
  const rate = -1 / (2 * sigma * sigma);
  for (let i = from; i <= to; i++) weights[i] = Math.exp(((i - center) ** 2 - offset) * rate);
  axis.center = center;
  axis.offset = offset;
  axis.from = from;
  axis.to = to;
}

/**
 * Sum of the clamped weights over the whole grid, cut or not: what normalises the kernel along z.
 * Cells further than 9 sigma from the nearest one add nothing in double precision.
 */
function sumClampedWeights(center: number, sigma: number, size: number): number {
  const nearest = Math.min(Math.max(center, 0), size - 1);
  const offset = (center - nearest) ** 2;
  const from = Math.max(0, Math.floor(nearest - 9 * sigma));
  const to = Math.min(size - 1, Math.ceil(nearest + 9 * sigma));
  let sum = 0;
  for (let i = from; i <= to; i++) sum += Math.exp((offset - (i - center) ** 2) / (2 * sigma * sigma));
  return sum;
}
