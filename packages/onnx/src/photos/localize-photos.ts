import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { FaceShapeModel } from '@voxface/models';
import type { FaceApiDetectorOptions } from '@voxface/models/face-api';
import type { LocatedFace, PredictorOptions } from '@voxface/predict';
import type { ExportDetectorOptions } from '../export-onnx.ts';

import type { PhotoAnswer, PhotoRequest, ThreadSetup } from './photo-job.ts';

export interface LocalizePhotosOptions {
  /** File written by `exportOnnx` (path or bytes), or a model, which is exported in memory. */
  model: string | Uint8Array | FaceShapeModel;
  /** Detector for photos without boxes; false when every photo comes with its boxes. */
  detector?: FaceApiDetectorOptions | false;
  predictor?: PredictorOptions;
  /** Turns photos upright as their orientation tags say. */
  orient?: boolean;
  /** Threads, each with its own networks on one core; null takes every core this process may use. */
  threads?: number | null;
}

export const LOCALIZE_PHOTOS_DEFAULTS: Required<Omit<LocalizePhotosOptions, 'model'>> = {
  detector: {},
  predictor: {},
  orient: true,
  threads: null,
};

/** What came of one photo; `error` says in a line why it failed. */
export type LocatedPhoto =
  | {
      readonly file: string;
      readonly width: number;
      readonly height: number;
      readonly faces: readonly LocatedFace[];
      readonly error?: undefined;
    }
  | { readonly file: string; readonly error: string };

/** Photos that a thread has in memory: the one that it looks at, and those that are read meanwhile. */
const PHOTOS_PER_THREAD = 3;
/** Photos per thread by which the threads may be ahead of the first that is not finished or not taken. */
const PHOTOS_AHEAD = 24;

/**
 * Landmarks of every face in many photo files, on all cores: each thread reads, decodes, detects and predicts
 * with one-threaded sessions of ONNX Runtime, which scales better than one session on many threads. Results come
 * in the order of the photos; a photo that fails is reported in its place. A thread holds at most three decoded
 * photos, and threads wait when results are not taken, so memory does not grow with the number of photos. Leaving the loop early ends the threads.
 * Needs onnxruntime-node and `@voxface/datasets`.
 * @throws RangeError when `threads` is no positive integer; Error when a thread fails as a whole.
 */
export async function* localizePhotos(
  photos: readonly (string | PhotoRequest)[],
  options: LocalizePhotosOptions,
): AsyncGenerator<LocatedPhoto> {
  const settings = { ...LOCALIZE_PHOTOS_DEFAULTS, ...options };
  const cores = settings.threads ?? availableParallelism();
  if (!(Number.isInteger(cores) && cores > 0)) {
    throw new RangeError(`localizePhotos: threads must be a positive integer, got ${cores}`);
  }
  const requests = photos.map((photo) => (typeof photo === 'string' ? { file: photo } : photo));
  if (requests.length === 0) return;
  const setup = await prepare(settings);
  // Only here, because @voxface/datasets, which reads photos, is an optional peer.
  const { startPhotoThread } = await import('./start-photo-thread.ts');
  const count = Math.min(cores, requests.length);
  const answers = new Map<number, PhotoAnswer>();
  let wake = (): void => {};
  let failure: Error | undefined;
  let sent = 0;
  let taken = 0;
  const threads = Array.from({ length: count }, () =>
    startPhotoThread(setup, {
      answer: (answer) => {
        answers.set(answer.index, answer);
        feed();
        wake();
      },
      fail: (error) => {
        failure = error;
        wake();
      },
    }),
  );
  const feed = (): void => {
    for (let pending = 0; pending < PHOTOS_PER_THREAD; pending++) {
      for (const thread of threads) {
        if (sent >= requests.length || sent >= taken + PHOTOS_AHEAD * count) return;
        if (thread.pending > pending) continue;
        thread.send({ index: sent, request: requests[sent] });
        sent += 1;
      }
    }
  };
  try {
    feed();
    for (; taken < requests.length; taken++) {
      while (!answers.has(taken) && failure === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (failure !== undefined) throw failure;
      const { found, error } = answers.get(taken)!;
      answers.delete(taken);
      const { file } = requests[taken];
      yield error === undefined ? { file, ...found! } : { file, error };
      feed();
    }
  } finally {
    await Promise.all(threads.map((thread) => thread.close()));
  }
}

async function prepare(settings: Required<LocalizePhotosOptions>): Promise<ThreadSetup> {
  const { model, detector, predictor, orient } = settings;
  const { network, inputSize, modelUrl, ...detectorOptions } = detector || {};
  return {
    model: share(await readModel(model)),
    detector: detector === false ? null : share(await readDetector({ network, inputSize, modelUrl })),
    detectorOptions,
    predictorOptions: predictor,
    orient,
  };
}

async function readModel(model: LocalizePhotosOptions['model']): Promise<Uint8Array> {
  if (typeof model === 'string') return readFile(model);
  if (model instanceof Uint8Array) return model;
  const { exportOnnx } = await import('../export-onnx.ts');
  return exportOnnx(model, { volume: false });
}

async function readDetector(options: ExportDetectorOptions): Promise<Uint8Array> {
  const { exportDetector } = await import('../export-onnx.ts');
  return exportDetector(options);
}

/** A copy that all threads see. */
function share(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}
