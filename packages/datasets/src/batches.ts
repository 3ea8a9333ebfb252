import { createRandom, type Random, shuffle, withDefaults } from '@voxface/landmarks';
import { type AugmentationOptions, drawAugmentation } from './augmentation.ts';
import { type CropSampleOptions, cropSample } from './crop-sample.ts';
import type { CroppedSample, Dataset } from './sample.ts';
import type { Shard } from './shard.ts';

/** Cuts samples somewhere else than in the caller's thread; see `createCropWorkers` of the node entry. */
export interface CropPool {
  crop<D extends 2 | 3>(
    dataset: Dataset<D>,
    index: number,
    options: CropSampleOptions,
  ): Promise<CroppedSample<D>>;
  close(): Promise<void>;
}

export interface BatchOptions<D extends 2 | 3 = 2 | 3> {
  dataset: Dataset<D>;
  /** Side of the crops in pixels. */
  size: number;
  batchSize: number;
  seed: number;
  /** `false`: plain crops. `{}`: the paper's augmentation. @default false */
  augmentation?: AugmentationOptions | false;
  /**
   * `false` keeps the dataset's order in every epoch. `{ buffer }`: the shards in random order, and their samples one after the other through
   * a buffer of that many, out of which each next one is drawn: files are read nearly from front to back, from disks and addresses
   * where every jump costs. A dataset without `shards` is shuffled whole.
   * @default true
   */
  shuffle?: boolean | { readonly buffer: number };
  /** Batches prepared ahead of the one asked for. @default 2 */
  prefetch?: number;
  /**
   * Only this part of every batch is loaded and handed out, in one piece: several processes share the batches.
   * @default { index: 0, count: 1 }
   */
  part?: Shard;
  /** Where to decode and crop. @default this thread */
  workers?: CropPool;
  /**
   * Called for each sample that cannot be loaded; the next readable one of the epoch takes its place.
   * @default `next` rejects with the error
   */
  onProblem?: (problem: { id: string; error: Error }) => void;
}

export const BATCH_DEFAULTS: { shuffle: boolean | { readonly buffer: number }; prefetch: number } = {
  shuffle: true,
  prefetch: 2,
};

/** Where a batch source stands: JSON. */
export interface BatchState {
  readonly version: 1;
  readonly seed: number;
  readonly batchSize: number;
  /** Number of samples of the dataset. */
  readonly length: number;
  /** Batches handed out so far. */
  readonly batches: number;
}

/** An endless, seeded stream of batches. */
export interface BatchSource<D extends 2 | 3 = 2 | 3> {
  /** The next `batchSize` samples (of them the `part`). Epochs follow each other without a gap; a batch may hold the end of one and the start of the next. */
  next(): Promise<CroppedSample<D>[]>;
  /** Counts only batches handed out, so a saved state repeats nothing and loses nothing. */
  state(): BatchState;
  /** Passes over the dataset so far, with fraction. */
  epoch(): number;
  /** Drops what was prepared ahead. A pool passed as `workers` stays open: its owner closes it. */
  close(): Promise<void>;
}

/**
 * Endless seeded epochs over a dataset. Which sample comes where, and how it is augmented, depends on the seed and
 * the position alone: not on the number of workers, nor on how much was prepared ahead.
 * @param state a saved `state()` to continue from.
 * @throws RangeError when the dataset is empty or the state belongs to another seed, batch size or dataset length.
 * @example
 * ```js
 * import { createBatches } from '@voxface/datasets';
 * import { open300w } from '@voxface/datasets/node';
 *
 * const dataset = await open300w('300w/afw');
 * const batches = createBatches({ dataset, size: 64, batchSize: 4, seed: 0, augmentation: {} });
 * console.log((await batches.next()).length); // => 4
 * await batches.close();
 * ```
 */
export function createBatches<D extends 2 | 3>(options: BatchOptions<D>, state?: BatchState): BatchSource<D> {
  const { dataset, batchSize, seed, workers } = options;
  const { prefetch } = withDefaults(BATCH_DEFAULTS, options);
  const n = dataset.length;
  checkOptions(options, state);
  const order = createOrder(dataset, seed, options.shuffle ?? BATCH_DEFAULTS.shuffle);
  const { index: part, count: parts } = options.part ?? { index: 0, count: 1 };
  const [first, last] = [part, part + 1].map((k) => Math.floor((k * batchSize) / parts));
  let batches = state?.batches ?? 0;
  let closed = false;
  const ahead = new Map<number, Promise<CroppedSample<D>[]>>();
  /** Those of batches that were handed out too: a batch may fail while others of its samples are still loading. */
  const underWay = new Set<Promise<CroppedSample<D>>>();

  const cropAt = (position: number, index: number): Promise<CroppedSample<D>> => {
    const random = createRandom(mixSeed(seed, 2, Math.floor(position / n), position % n));
    const augmentation = options.augmentation ? drawAugmentation(random, options.augmentation) : undefined;
    const crop = { size: options.size, ...(augmentation && { augmentation }) };
    return workers
      ? workers.crop(dataset, index, crop)
      : dataset.load(index).then((sample) => cropSample(sample, crop));
  };
  const sampleAt = async (position: number): Promise<CroppedSample<D>> => {
    for (let attempt = 0; ; attempt++) {
      const index = order(Math.floor(position / n))[((position % n) + attempt) % n];
      try {
        return await cropAt(position, index);
      } catch (error) {
        // What is cut short by a close is no problem of the sample.
        const isEnd = closed || (error as Error).name === 'AbortError';
        if (isEnd || !options.onProblem || attempt >= n - 1) throw error;
        options.onProblem({ id: dataset.ids[index], error: error as Error });
      }
    }
  };
  const prepare = (batch: number): Promise<CroppedSample<D>[]> => {
    const known = ahead.get(batch);
    if (known) return known;
    const loading = Array.from({ length: last - first }, (_, i) => sampleAt(batch * batchSize + first + i));
    for (const sample of loading) {
      underWay.add(sample);
      const done = () => underWay.delete(sample);
      sample.then(done, done);
    }
    const samples = Promise.all(loading);
    samples.catch(() => {});
    ahead.set(batch, samples);
    return samples;
  };
  return {
    async next() {
      if (closed) throw new Error('next: the batch source is closed (create another one)');
      const current = prepare(batches);
      ahead.delete(batches);
      batches += 1;
      for (let i = 0; i < prefetch; i++) prepare(batches + i);
      return current;
    },
    state: () => ({ version: 1, seed, batchSize, length: n, batches }),
    epoch: () => (batches * batchSize) / n,
    async close() {
      closed = true;
      ahead.clear();
      await Promise.allSettled(underWay);
    },
  };
}

function checkOptions(options: BatchOptions, state: BatchState | undefined): void {
  const { dataset, batchSize, seed, shuffle } = options;
  if (typeof shuffle === 'object' && !(Number.isInteger(shuffle.buffer) && shuffle.buffer > 0)) {
    throw new RangeError(
      `createBatches: the buffer of a shuffle must be a positive integer, got ${shuffle.buffer}`,
    );
  }
  if (dataset.length === 0) {
    throw new RangeError(`createBatches: expected at least one sample, got none in ${dataset.name}`);
  }
  if (!(Number.isInteger(batchSize) && batchSize > 0)) {
    throw new RangeError(`createBatches: batchSize must be a positive integer, got ${batchSize}`);
  }
  if (!state) return;
  for (const [rule, saved, own] of [
    ['seed', state.seed, seed],
    ['batchSize', state.batchSize, batchSize],
    ['dataset length', state.length, dataset.length],
  ] as const) {
    if (saved !== own) {
      throw new RangeError(
        `createBatches: ${rule} must be that of the saved state, ${saved}, got ${own} (start anew without the state)`,
      );
    }
  }
}

/** The order of each epoch; the last two asked for are kept. */
function createOrder(
  { length: n, shards }: Dataset,
  seed: number,
  shuffled: boolean | { readonly buffer: number },
): (epoch: number) => Uint32Array {
  const kept = new Map<number, Uint32Array>();
  return (epoch) => {
    const known = kept.get(epoch);
    if (known) return known;
    const random = createRandom(mixSeed(seed, 1, epoch));
    const order =
      typeof shuffled === 'object' && shards
        ? shuffleShards(n, shards, shuffled.buffer, random)
        : shuffleAll(n, shuffled !== false, random);
    if (kept.size > 2) kept.delete(Math.min(...kept.keys()));
    kept.set(epoch, order);
    return order;
  };
}

function shuffleAll(n: number, shuffled: boolean, random: Random): Uint32Array {
  const indices = Array.from({ length: n }, (_, i) => i);
  return Uint32Array.from(shuffled ? shuffle(indices, random) : indices);
}

/** The shards in random order, their samples through a buffer: a pure function of the generator, so a position is all there is to save. */
function shuffleShards(n: number, shards: readonly number[], size: number, random: Random): Uint32Array {
  const order = new Uint32Array(n);
  const buffer: number[] = [];
  let at = 0;
  const places = shuffle(
    shards.map((_, k) => k),
    random,
  );
  for (const k of places) {
    for (let i = shards[k]; i < (shards[k + 1] ?? n); i++) {
      if (buffer.length < size) {
        buffer.push(i);
        continue;
      }
      const drawn = random.integer(size);
      order[at++] = buffer[drawn];
      buffer[drawn] = i;
    }
  }
  order.set(shuffle(buffer, random), at);
  return order;
}

/** A batch of one kind only: 3D samples have a depth to learn from, 2D samples have none. */
export type KindOfBatch =
  | { readonly kind: '2d'; readonly samples: CroppedSample<2>[] }
  | { readonly kind: '3d'; readonly samples: CroppedSample<3>[] };

export interface PairState {
  readonly version: 1;
  /** Batches handed out so far. */
  readonly batches: number;
  readonly plane: BatchState;
  readonly spatial: BatchState;
}

export interface PairedBatches {
  next(): Promise<KindOfBatch>;
  state(): PairState;
  close(): Promise<void>;
}

/**
 * Mixes a 2D and a 3D source, batch by batch, in a fixed and even order: after any number of batches the count of
 * 2D batches is the nearest one below the asked share. Each batch is of one kind.
 * @param ratio 2D batches per 3D batch: 1 alternates (3D first), 0.5 gives 3D 3D 2D.
 * @param state a saved `state()`; the sources must be made from its `plane` and `spatial`.
 * @throws RangeError when the ratio is negative or not finite, or a source does not stand where the state says.
 */
export function pairBatches(
  spatial: BatchSource<3>,
  plane: BatchSource<2>,
  ratio: number,
  state?: PairState,
): PairedBatches {
  if (!(ratio >= 0 && Number.isFinite(ratio))) {
    throw new RangeError(`pairBatches: ratio must be finite and >= 0, got ${ratio}`);
  }
  if (
    state &&
    (state.plane.batches !== plane.state().batches || state.spatial.batches !== spatial.state().batches)
  ) {
    throw new RangeError(
      `pairBatches: the sources must stand at batch ${state.spatial.batches} (3D) and ${state.plane.batches} (2D), got ${spatial.state().batches} and ${plane.state().batches} (create them from the saved state)`,
    );
  }
  const share = ratio / (1 + ratio);
  let batches = state?.batches ?? 0;
  return {
    async next() {
      const before = Math.floor(batches * share + 1e-9);
      batches += 1;
      return Math.floor(batches * share + 1e-9) > before
        ? { kind: '2d', samples: await plane.next() }
        : { kind: '3d', samples: await spatial.next() };
    },
    state: () => ({ version: 1, batches, plane: plane.state(), spatial: spatial.state() }),
    async close() {
      await Promise.all([spatial.close(), plane.close()]);
    },
  };
}

/**
 * Folds several integers into one 32-bit seed (murmur3's mixing steps), so that every epoch and every sample has
 * its own generator and any of them can be made without drawing the ones before.
 */
export function mixSeed(...parts: number[]): number {
  let hash = 0x9747b28c;
  for (const part of parts) {
    let k = Math.imul(part | 0, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    hash ^= Math.imul(k, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Maps with at most `limit` calls under way; results keep the order of the items. The first rejection ends it. */
export async function mapConcurrently<T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++;
      results[index] = await map(items[index], index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, work));
  return results;
}
