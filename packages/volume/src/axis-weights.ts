/** One landmark's Gaussian along one axis: `weights` of the cells `from` to `to`; empty when `to < from`. */
export interface AxisWeights {
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
export function createAxisWeights(size: number): AxisWeights {
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
export function sumClampedWeights(center: number, sigma: number, size: number): number {
  const nearest = Math.min(Math.max(center, 0), size - 1);
  const offset = (center - nearest) ** 2;
  const from = Math.max(0, Math.floor(nearest - 9 * sigma));
  const to = Math.min(size - 1, Math.ceil(nearest + 9 * sigma));
  let sum = 0;
  for (let i = from; i <= to; i++) sum += Math.exp((offset - (i - center) ** 2) / (2 * sigma * sigma));
  return sum;
}
