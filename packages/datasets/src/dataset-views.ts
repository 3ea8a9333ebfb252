import {
  IBUG_68_TO_3DFAW_66,
  IBUG_68_TO_AFLW_21,
  IBUG_68_TO_FIVE_POINTS,
  IBUG_68_TO_INNER_51,
  type LandmarkMap,
  mapLandmarks,
  type Pixels,
  toPlane,
} from '@voxface/landmarks';
import type { Annotation, Dataset } from './sample.ts';

/** Landmark sets that 68-point annotation can be reduced to (Table VI of the paper), by name of the scheme. */
export const REDUCTIONS: Readonly<Record<string, LandmarkMap>> = Object.fromEntries(
  [IBUG_68_TO_FIVE_POINTS, IBUG_68_TO_AFLW_21, IBUG_68_TO_INNER_51, IBUG_68_TO_3DFAW_66].map((map) => [
    map.to.name,
    map,
  ]),
);

/**
 * A view of a dataset in another annotation scheme. Boxes stay those of all landmarks: crops and normalisation are
 * the same for every subset.
 * @throws RangeError when the dataset is not of the map's source scheme.
 */
export function createMappedDataset<D extends 2 | 3>(dataset: Dataset<D>, map: LandmarkMap): Dataset<D> {
  if (dataset.scheme.name !== map.from.name) {
    throw new RangeError(
      `createMappedDataset: expected landmarks of ${map.from.name}, got ${dataset.scheme.name} in ${dataset.name}`,
    );
  }
  const reduce = <T extends Annotation<D>>(item: T): T => {
    const { visible } = item;
    const shown = visible && {
      visible: Uint8Array.from(map.sources, (sources) => Number(sources.every((n) => visible[n] !== 0))),
    };
    return { ...item, landmarks: mapLandmarks(item.landmarks, map), scheme: map.to, ...shown };
  };
  const { annotate, loadEncoded, shards } = dataset;
  return {
    name: dataset.name,
    scheme: map.to,
    dims: dataset.dims,
    length: dataset.length,
    ids: dataset.ids,
    load: async (index) => reduce(await dataset.load(index)),
    ...(shards && { shards }),
    ...(annotate && { annotate: async (index: number) => reduce(await annotate(index)) }),
    ...(loadEncoded && { loadEncoded: async (index: number) => reduce(await loadEncoded(index)) }),
  };
}

/** A view of a 3D dataset with x and y only: what a 2D set of the same photos would be. */
export function createPlaneDataset(dataset: Dataset<3>): Dataset<2> {
  const flatten = <T extends Annotation<3>>(item: T) => ({ ...item, landmarks: toPlane(item.landmarks) });
  const { annotate, loadEncoded, shards } = dataset;
  return {
    name: dataset.name,
    scheme: dataset.scheme,
    dims: 2,
    length: dataset.length,
    ids: dataset.ids,
    load: async (index) => flatten(await dataset.load(index)),
    ...(shards && { shards }),
    ...(annotate && { annotate: async (index: number) => flatten(await annotate(index)) }),
    ...(loadEncoded && { loadEncoded: async (index: number) => flatten(await loadEncoded(index)) }),
  };
}

/**
 * A view of a dataset: sample i of the view is sample `indices[i]` of the dataset.
 * @throws RangeError when an index is outside the dataset, or comes twice without `ids` of its own.
 */
export function takeSamples<D extends 2 | 3>(
  dataset: Dataset<D>,
  indices: readonly number[],
  ids: readonly string[] = indices.map((index) => dataset.ids[index]),
): Dataset<D> {
  for (const index of indices) {
    if (!(Number.isInteger(index) && index >= 0 && index < dataset.length)) {
      throw new RangeError(
        `takeSamples: index must be in 0..${dataset.length - 1} of ${dataset.name}, got ${index}`,
      );
    }
  }
  if (new Set(ids).size !== ids.length) {
    throw new RangeError(
      `takeSamples: identifiers must be unique, got an index of ${dataset.name} twice (use repeatDataset)`,
    );
  }
  return rearrange(dataset, [dataset], ids, (i) => [0, indices[i]]);
}

/** Keeps the samples whose annotation (everything but the picture) passes the test, in their order. */
export async function filterDataset<D extends 2 | 3>(
  dataset: Dataset<D>,
  keep: (annotation: Annotation<D>, index: number) => boolean,
): Promise<Dataset<D>> {
  const indices: number[] = [];
  for (let i = 0; i < dataset.length; i++) if (keep(await annotationOf(dataset, i), i)) indices.push(i);
  return takeSamples(dataset, indices);
}

/**
 * Repeats a dataset within an epoch, to give it weight beside others. Later rounds have identifiers `id@2`, `id@3`...
 * @param times how often, 0.5 takes every second sample, 2.5 two rounds and every second sample.
 */
export function repeatDataset<D extends 2 | 3>(dataset: Dataset<D>, times: number): Dataset<D> {
  if (!(times > 0 && Number.isFinite(times))) {
    throw new RangeError(`repeatDataset: times must be positive and finite, got ${times}`);
  }
  const n = dataset.length;
  const rounds = Math.floor(times);
  const indices = Array.from({ length: rounds * n }, (_, i) => i % n);
  const rest = times - rounds;
  for (let i = 0; i < n; i++) if (Math.floor((i + 1) * rest) > Math.floor(i * rest)) indices.push(i);
  const ids = indices.map((index, i) =>
    i < n ? dataset.ids[index] : `${dataset.ids[index]}@${Math.floor(i / n) + 1}`,
  );
  return takeSamples(dataset, indices, ids);
}

/**
 * One dataset after the other. Where two share an identifier, every identifier gets its dataset's name in front.
 * @throws RangeError when schemes or dimensions differ, or identifiers stay ambiguous.
 */
export function concatDatasets<D extends 2 | 3>(datasets: readonly Dataset<D>[], name?: string): Dataset<D> {
  if (datasets.length === 0) throw new RangeError('concatDatasets: expected at least one dataset, got none');
  const [first] = datasets;
  for (const { name: other, scheme, dims } of datasets) {
    if (scheme.name !== first.scheme.name || dims !== first.dims) {
      throw new RangeError(
        `concatDatasets: all must have the scheme and dimensions of ${first.name} (${first.scheme.name}, ${first.dims}), got ${scheme.name}, ${dims} of ${other} (convert it first)`,
      );
    }
  }
  let ids = datasets.flatMap((dataset) => dataset.ids);
  if (new Set(ids).size !== ids.length) {
    ids = datasets.flatMap((dataset) => dataset.ids.map((id) => `${dataset.name}/${id}`));
  }
  if (new Set(ids).size !== ids.length) {
    throw new RangeError(
      `concatDatasets: identifiers must be unique, got duplicates among ${datasets.map((d) => d.name).join(', ')} (the same dataset twice? use repeatDataset)`,
    );
  }
  const places = datasets.flatMap((dataset, part) =>
    Array.from({ length: dataset.length }, (_, i): [number, number] => [part, i]),
  );
  return rearrange(
    { ...first, name: name ?? datasets.map((d) => d.name).join('+') },
    datasets,
    ids,
    (i) => places[i],
  );
}

/** Everything but the picture of one sample; decodes it only where the dataset offers no other way. */
export async function annotationOf<D extends 2 | 3>(
  dataset: Dataset<D>,
  index: number,
): Promise<Annotation<D>> {
  if (dataset.annotate) return dataset.annotate(index);
  const { image: _, ...annotation } = await dataset.load(index);
  return annotation;
}

function rearrange<D extends 2 | 3>(
  head: Pick<Dataset<D>, 'name' | 'scheme' | 'dims'>,
  parts: readonly Dataset<D>[],
  ids: readonly string[],
  place: (index: number) => readonly [part: number, index: number],
): Dataset<D> {
  const locate = (index: number): readonly [Dataset<D>, number] => {
    if (!(Number.isInteger(index) && index >= 0 && index < ids.length)) {
      throw new RangeError(`load: index must be in 0..${ids.length - 1} of ${head.name}, got ${index}`);
    }
    const [part, inner] = place(index);
    return [parts[part], inner];
  };
  const shards = shardsOf(parts, ids.length, place);
  return {
    name: head.name,
    scheme: head.scheme,
    dims: head.dims,
    length: ids.length,
    ids,
    ...(shards && { shards }),
    load: async (index) => {
      const [dataset, inner] = locate(index);
      return { ...(await dataset.load(inner)), id: ids[index] };
    },
    annotate: async (index) => {
      const [dataset, inner] = locate(index);
      return { ...(await annotationOf(dataset, inner)), id: ids[index] };
    },
    ...(parts.every((part) => part.loadEncoded) && {
      loadEncoded: async (index: number) => {
        const [dataset, inner] = locate(index);
        return { ...(await dataset.loadEncoded!(inner)), id: ids[index] };
      },
    }),
  };
}

/** A shard of the view begins where the samples come from another shard, or part, than the one before. */
function shardsOf(
  parts: readonly Dataset[],
  length: number,
  place: (index: number) => readonly [part: number, index: number],
): number[] | undefined {
  if (parts.every(({ shards }) => shards === undefined)) return undefined;
  const starts: number[] = [];
  let [part, first, end] = [-1, 0, 0];
  for (let i = 0; i < length; i++) {
    const [own, inner] = place(i);
    if (own === part && inner >= first && inner < end) continue;
    const { shards = [0], length: whole } = parts[own];
    const next = shards.findIndex((start) => start > inner);
    part = own;
    first = shards[next < 0 ? shards.length - 1 : next - 1];
    end = next < 0 ? whole : shards[next];
    starts.push(i);
  }
  return starts;
}

export interface CacheOptions {
  /** Upper bound of the kept pixels' size, bytes. @default 1024 ** 3 */
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
    ...(dataset.shards && { shards: dataset.shards }),
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
