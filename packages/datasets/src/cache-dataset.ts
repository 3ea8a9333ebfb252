import type { Pixels } from '@voxface/landmarks';
import { annotationOf } from './arrange.ts';
import type { Dataset } from './sample.ts';

export interface CacheOptions {
  /** Upper bound of the kept pixels' size, bytes. */
  bytes?: number;
}

export const CACHE_DEFAULTS: Required<CacheOptions> = { bytes: 1024 ** 3 };

/**
 * Keeps decoded pictures in memory: those loaded first stay, as long as all together fit the budget; the others
 * are decoded each time (in a shuffled epoch every picture is asked for once, so nothing is gained by exchanging
 * them). For decoding in workers see `cacheBytes` of `createCropWorkers`, which shares one cache among them.
 */
export function cacheDataset<D extends 2 | 3>(dataset: Dataset<D>, options: CacheOptions = {}): Dataset<D> {
  const budget = options.bytes ?? CACHE_DEFAULTS.bytes;
  if (!(budget >= 0)) throw new RangeError(`cacheDataset: bytes must be >= 0, got ${budget}`);
  const kept = new Map<number, Pixels>();
  let used = 0;
  return {
    name: dataset.name,
    scheme: dataset.scheme,
    dims: dataset.dims,
    length: dataset.length,
    ids: dataset.ids,
    annotate: (index) => annotationOf(dataset, index),
    ...(dataset.loadEncoded && { loadEncoded: dataset.loadEncoded }),
    async load(index) {
      const image = kept.get(index);
      if (image) return { ...(await annotationOf(dataset, index)), image };
      const sample = await dataset.load(index);
      const size = sample.image.data.length;
      if (!kept.has(index) && used + size <= budget) {
        kept.set(index, sample.image);
        used += size;
      }
      return sample;
    },
  };
}
