import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { pathToFileURL } from 'node:url';
import { Worker, type WorkerOptions } from 'node:worker_threads';
import type { Affine } from '@voxface/landmarks';
import {
  type BatchOptions,
  type BatchSource,
  type BatchState,
  type CropPool,
  createBatches,
} from '../batches.ts';
import { assembleCrop, type CropSampleOptions, cropOf, cropSample } from '../crop-sample.ts';
import { annotationOf } from '../dataset-views.ts';
import { viewPixels } from '../packed-set.ts';
import { checkInside } from '../record-dataset.ts';
import type { CroppedSample, Dataset } from '../sample.ts';

export interface CropWorkersOptions {
  /** Number of threads. @default one less than the cores, but at least 1 */
  count?: number;
  /**
   * Decoded pictures are kept, shared among the threads, as long as they fit this many bytes. 0 keeps none.
   * @default 0
   */
  cacheBytes?: number;
}

export const CROP_WORKERS_DEFAULTS: { cacheBytes: number } = { cacheBytes: 0 };

export interface CropWorkers extends CropPool {
  /** Threads, jobs under way, jobs waiting, and the cache's pictures and bytes. */
  stats(): { threads: number; busy: number; waiting: number; cached: number; cachedBytes: number };
}

interface Thread {
  readonly worker: Worker;
  /** Jobs sent and not answered. */
  readonly jobs: Map<number, { resolve(answer: CropAnswer): void; reject(error: Error): void }>;
}

/**
 * Each thread has a batch of jobs in hand: a training step blocks the calling thread for long, and a thread that must
 * ask it for every job would idle meanwhile.
 */
const JOBS_PER_THREAD = 16;

/**
 * Threads that decode pictures and cut crops. Not more than 16 samples per thread are read from the disk at a
 * time; further calls wait their turn. A dataset without `loadEncoded` is cut in the calling thread.
 * @throws RangeError when `count` is no positive integer.
 */
export function createCropWorkers(options: CropWorkersOptions = {}): CropWorkers {
  const count = options.count ?? Math.max(1, availableParallelism() - 1);
  const cacheBytes = options.cacheBytes ?? CROP_WORKERS_DEFAULTS.cacheBytes;
  if (!(Number.isInteger(count) && count > 0)) {
    throw new RangeError(`createCropWorkers: count must be a positive integer, got ${count}`);
  }
  const threads: Thread[] = [];
  const startAt = (i: number): void => {
    threads[i] = startThread((code) => {
      if (!closed) {
        failJobs(threads[i], new Error(`crop: a thread ended with code ${code}`));
        startAt(i);
      }
    });
  };
  const slots = createSlots(count * JOBS_PER_THREAD);
  const caches = new WeakMap<Dataset, Map<number, SharedPicture>>();
  let cached = 0;
  let cachedBytes = 0;
  let jobNumber = 0;
  let closed = false;
  for (let i = 0; i < count; i++) startAt(i);

  const send = (job: CropJob): Promise<CropAnswer> => {
    const thread = threads.reduce((best, other) => (other.jobs.size < best.jobs.size ? other : best));
    return new Promise((resolve, reject) => {
      thread.jobs.set(job.number, { resolve, reject });
      thread.worker.ref();
      const bytes = job.encoded;
      const whole = bytes && bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength;
      thread.worker.postMessage(job, whole ? [bytes.buffer as ArrayBuffer] : []);
    });
  };
  const cut = async <D extends 2 | 3>(
    dataset: Dataset<D>,
    index: number,
    crop: CropSampleOptions,
  ): Promise<CroppedSample<D>> => {
    const cache = cacheOf(caches, dataset);
    const picture = cache.get(index);
    const { encoded, ...annotation } = picture
      ? { ...(await annotationOf(dataset, index)), encoded: undefined }
      : await dataset.loadEncoded!(index);
    if (closed) throw aborted('crop: the workers are closed (create new ones)');
    const answer = await send({
      number: jobNumber++,
      name: `${dataset.name}/${annotation.id}`,
      ...(picture ? { picture } : { encoded }),
      // What a packed set holds decoded is in the system's file cache already.
      keep: !picture && cachedBytes < cacheBytes && !viewPixels(encoded!, annotation.id),
      orient: annotation.upright === true,
      crop: cropOf(annotation.box, crop),
      options: crop,
    });
    checkInside(annotation, answer.width!, answer.height!);
    const size = answer.picture?.buffer.byteLength ?? 0;
    if (answer.picture && !cache.has(index) && cachedBytes + size <= cacheBytes) {
      cache.set(index, answer.picture);
      cached += 1;
      cachedBytes += size;
    }
    return assembleCrop(annotation, crop, answer.pixels!);
  };
  return {
    async crop(dataset, index, crop) {
      if (closed) throw aborted('crop: the workers are closed (create new ones)');
      if (!dataset.loadEncoded) return cropSample(await dataset.load(index), crop);
      await slots.take();
      try {
        return await cut(dataset, index, crop);
      } finally {
        slots.give();
      }
    },
    stats: () => ({
      threads: count,
      busy: slots.taken(),
      waiting: slots.waiting(),
      cached,
      cachedBytes,
    }),
    async close() {
      closed = true;
      for (const thread of threads) {
        failJobs(thread, aborted('crop: the workers were closed'));
        // Answers that still come must not let the process end before the threads have.
        thread.worker.removeAllListeners('message');
        thread.worker.ref();
      }
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    },
  };
}

function failJobs({ jobs }: Thread, error: Error): void {
  for (const { reject } of jobs.values()) reject(error);
  jobs.clear();
}

function startThread(onExit: (code: number) => void): Thread {
  const worker = startWorker('crop-worker', import.meta.url);
  const jobs: Thread['jobs'] = new Map();
  worker.on('message', (answer: CropAnswer) => {
    const job = jobs.get(answer.number);
    jobs.delete(answer.number);
    if (jobs.size === 0) worker.unref();
    if (answer.error === undefined) job?.resolve(answer);
    else job?.reject(new Error(answer.error));
  });
  const thread: Thread = { worker, jobs };
  worker.on('error', (error: Error) => failJobs(thread, error));
  worker.on('exit', onExit);
  worker.unref();
  return thread;
}

function cacheOf(
  caches: WeakMap<Dataset, Map<number, SharedPicture>>,
  dataset: Dataset,
): Map<number, SharedPicture> {
  const known = caches.get(dataset);
  if (known) return known;
  const cache = new Map<number, SharedPicture>();
  caches.set(dataset, cache);
  return cache;
}

/** A counting semaphore, first come first served. */
function createSlots(size: number): {
  take(): Promise<void>;
  give(): void;
  taken(): number;
  waiting(): number;
} {
  let free = size;
  const queue: (() => void)[] = [];
  return {
    take: () => {
      if (free === 0) return new Promise((resolve) => queue.push(resolve));
      free -= 1;
      return Promise.resolve();
    },
    give: () => {
      const next = queue.shift();
      if (next) next();
      else free += 1;
    },
    taken: () => size - free,
    waiting: () => queue.length,
  };
}

/** Decoded RGB pixels that all threads see. */
export interface SharedPicture {
  readonly buffer: SharedArrayBuffer;
  readonly width: number;
  readonly height: number;
}

/** What a worker is asked: one crop out of encoded bytes or out of a shared picture. */
export interface CropJob {
  readonly number: number;
  readonly name: string;
  readonly encoded?: Uint8Array;
  readonly picture?: SharedPicture;
  /** True: send the decoded picture back, to be kept. */
  readonly keep: boolean;
  readonly crop: Affine;
  readonly options: CropSampleOptions;
  /** Turn the picture upright by its orientation tag. */
  readonly orient: boolean;
}

/** What a worker answers. */
export interface CropAnswer {
  readonly number: number;
  readonly error?: string;
  readonly pixels?: Uint8Array;
  readonly width?: number;
  readonly height?: number;
  readonly picture?: SharedPicture;
}

/** The end of a job that says nothing about its sample, named as the web platform names it. */
function aborted(message: string): Error {
  return Object.assign(new Error(message), { name: 'AbortError' });
}

/**
 * `createBatches` with worker threads of its own, which end with `close`. The samples are those of `createBatches`
 * with the same seed, whatever the number of threads.
 */
export function createWorkerBatches<D extends 2 | 3>(
  options: Omit<BatchOptions<D>, 'workers'> & { workers?: CropWorkersOptions },
  state?: BatchState,
): BatchSource<D> {
  const workers = createCropWorkers(options.workers);
  const source = createBatches({ ...options, workers }, state);
  return {
    ...source,
    async close() {
      await source.close();
      await workers.close();
    },
  };
}

/**
 * Starts a worker thread whose file lies beside the calling module, both in the built package (`.js`) and in the
 * repository's sources (`.ts`, run through tsx, packages resolved to each other's sources).
 * @param name file name without extension.
 * @param caller `import.meta.url` of the calling module.
 */
export function startWorker(name: string, caller: string, options: WorkerOptions = {}): Worker {
  const fromSource = new URL(caller).pathname.endsWith('.ts');
  if (!fromSource) return new Worker(new URL(`./${name}.js`, caller), options);
  const loader = pathToFileURL(createRequire(caller).resolve('tsx/esm/api').replace(/cjs$/, 'mjs')).href;
  const file = new URL(`./${name}.ts`, caller).href;
  const code = `import(${JSON.stringify(loader)}).then(({ register }) => { register(); return import(${JSON.stringify(file)}); })`;
  return new Worker(code, { ...options, eval: true, execArgv: ['--conditions=voxface-source'] });
}
