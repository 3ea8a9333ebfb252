import {
  add,
  concat,
  conv2d,
  conv3d,
  reshape,
  slice,
  sum,
  type Tensor,
  type Tensor1D,
  type Tensor4D,
  type Tensor5D,
  tidy,
  tile,
} from '@tensorflow/tfjs-core';

/** What a volume is joined of on its channels: volumes [b, h, w, d, c], and planes [b, h, w, c] that are the same at every depth. */
export type VolumePart = { readonly volume: Tensor5D } | { readonly plane: Tensor4D };

/**
 * 3D convolution with bias of volumes joined on the channels, some of which repeat a plane along depth. A plane needs no third
 * dimension: its taps along depth add up to one 2D filter, which differs only where the kernel reaches over the border, so
 * one 2D convolution whose filters are those of every depth side by side makes its share of all slices. Same values as the
 * convolution of the joined volume up to rounding.
 *
 * @param parts at least one volume, one after the other on the channels. @param depth slices d of the joined volume.
 * @param filter [k, k, k, c, filters]. @param bias [filters].
 */
export function convolveRepeated(
  parts: readonly VolumePart[],
  depth: number,
  filter: Tensor5D,
  bias: Tensor1D | undefined,
  stride: number,
  padding: 'same' | 'valid',
): Tensor5D {
  return tidy(() => {
    const [k0, k1, k2, joined, filters] = filter.shape;
    // Taps as one axis: WebGPU slices and sums no tensor of rank 5.
    const taps = reshape(filter, [k0 * k1 * k2, joined, filters]);
    const volumes: Tensor[] = [];
    const planes: Tensor[] = [];
    const volumeFilters: Tensor[] = [];
    const planeFilters: Tensor[] = [];
    let first = 0;
    for (const part of parts) {
      const x = 'volume' in part ? part.volume : part.plane;
      const channels = x.shape.at(-1)!;
      const share = slice(taps, [0, first, 0], [-1, channels, filters]);
      (x.rank === 5 ? volumes : planes).push(x);
      (x.rank === 5 ? volumeFilters : planeFilters).push(share);
      first += channels;
    }
    const kernel = (shares: Tensor[]): Tensor5D => reshape(join(shares, 1), [k0, k1, k2, -1, filters]);
    const volume = conv3d(join(volumes, 4) as Tensor5D, kernel(volumeFilters), stride, padding);
    if (planes.length === 0) return bias === undefined ? volume : (add(volume, bias) as Tensor5D);
    const [b, height, width, slices] = volume.shape;
    const flat = filterOfSlices(kernel(planeFilters), depth, slices, stride, padding);
    let plane: Tensor = conv2d(join(planes, 3) as Tensor4D, flat, stride, padding);
    if (bias !== undefined) plane = add(plane, tile(bias, [slices]));
    return add(volume, reshape(plane, [b, height, width, slices, filters])) as Tensor5D;
  });
}

/** The 2D filters of all slices of the result, side by side: [k, k, k, c, filters] -> [k, k, c, slices * filters]. */
function filterOfSlices(
  filter: Tensor5D,
  depth: number,
  slices: number,
  stride: number,
  padding: 'same' | 'valid',
): Tensor4D {
  const [k0, k1, k2, channels, filters] = filter.shape;
  const before = padding === 'valid' ? 0 : Math.floor(Math.max(0, (slices - 1) * stride + k2 - depth) / 2);
  const runs: { from: number; to: number; count: number }[] = [];
  for (let i = 0; i < slices; i++) {
    const from = Math.max(0, before - i * stride);
    const to = Math.min(k2, depth + before - i * stride);
    const last = runs.at(-1);
    if (last?.from === from && last.to === to) last.count++;
    else runs.push({ from, to, count: 1 });
  }
  const lines = reshape(filter, [k0 * k1, k2, channels * filters]);
  const parts = runs.map(({ from, to, count }) => {
    const summed = sum(slice(lines, [0, from, 0], [-1, to - from, -1]), 1);
    return tile(reshape(summed, [k0, k1, channels, filters]), [1, 1, 1, count]);
  });
  return join(parts, 3) as Tensor4D;
}

function join(tensors: Tensor[], axis: number): Tensor {
  return tensors.length === 1 ? tensors[0] : concat(tensors, axis);
}
