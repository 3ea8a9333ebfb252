import { type BatchOptions, type BatchSource, type BatchState, createBatches } from '../batches.ts';
import { type CropWorkersOptions, createCropWorkers } from './crop-workers.ts';

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
