import { startWorker } from '@voxface/datasets/node';
import type { Box } from '@voxface/landmarks';
import type { DetectorOptions, LocatedFace, PredictorOptions } from '@voxface/predict';

/** A photo file, with its face boxes where they are known. */
export interface PhotoRequest {
  readonly file: string;
  /** Landmark-like boxes in pixels; omitted, the detector looks for faces. */
  readonly boxes?: readonly Box[];
}

/** What every thread is told when it starts. */
export interface ThreadSetup {
  /** The model as an ONNX file. */
  readonly model: Uint8Array;
  /** The detector as an ONNX file; null when every photo comes with boxes. */
  readonly detector: Uint8Array | null;
  readonly detectorOptions: DetectorOptions;
  readonly predictorOptions: PredictorOptions;
  readonly orient: boolean;
}

/** A photo for one thread, in place `index` of the list. */
export interface PhotoJob {
  readonly index: number;
  readonly request: PhotoRequest;
}

/** The result for one photo, in place `index` of the list. */
export interface PhotoAnswer {
  readonly index: number;
  readonly found?: {
    readonly width: number;
    readonly height: number;
    readonly faces: readonly LocatedFace[];
  };
  readonly error?: string;
}

/** Photos that a thread has in memory: the current one, and those that are read meanwhile. */
const PHOTOS_PER_THREAD = 3;
/** Photos per thread by which the threads may be ahead of the first that is not finished or not taken. */
const PHOTOS_AHEAD = 24;

/**
 * Shares photos among threads, each with its own one-threaded networks, which scales better than one session on many
 * threads. Answers come in the order of the photos. A thread holds at most three decoded photos, and threads wait when
 * answers are not taken, so memory does not grow with the number of photos. Leaving the loop early ends the threads.
 * @throws Error when a thread fails as a whole.
 */
export async function* runPhotoThreads(
  requests: readonly PhotoRequest[],
  setup: ThreadSetup,
  cores: number,
): AsyncGenerator<PhotoAnswer> {
  const shared = { ...setup, model: share(setup.model), detector: setup.detector && share(setup.detector) };
  const count = Math.min(cores, requests.length);
  const answers = new Map<number, PhotoAnswer>();
  let wake = (): void => {};
  let failure: Error | undefined;
  let sent = 0;
  let taken = 0;
  const threads = Array.from({ length: count }, () =>
    startPhotoThread(shared, {
      answer: (answer) => {
        answers.set(answer.index, answer);
        feed();
        wake();
      },
      fail: (error) => {
        failure ??= error;
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
      const answer = answers.get(taken)!;
      answers.delete(taken);
      yield answer;
      feed();
    }
  } finally {
    await Promise.all(threads.map((thread) => thread.close()));
  }
}

/** A copy that all threads see. */
function share(bytes: Uint8Array): Uint8Array {
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
}

interface PhotoThread {
  /** Photos that were sent and are not answered. */
  readonly pending: number;
  send(job: PhotoJob): void;
  /** Resolves when the thread has ended, after its current photo. */
  close(): Promise<void>;
}

/** Starts one thread. `answer` is called for every photo, `fail` when the thread dies. */
function startPhotoThread(
  setup: ThreadSetup,
  on: { answer(answer: PhotoAnswer): void; fail(error: Error): void },
): PhotoThread {
  const worker = startWorker('photo-worker', import.meta.url, { workerData: setup });
  let pending = 0;
  let closing = false;
  worker.on('message', (answer: PhotoAnswer) => {
    pending -= 1;
    on.answer(answer);
  });
  worker.on('error', on.fail);
  const ended = new Promise<void>((resolve) => {
    worker.on('exit', (code) => {
      resolve();
      if (closing) return;
      on.fail(
        new Error(
          `localize: a photo thread must live until the last photo, got exit code ${code} (its photos are not done: run again with --resume)`,
        ),
      );
    });
  });
  return {
    get pending() {
      return pending;
    },
    send: (job) => {
      pending += 1;
      worker.postMessage(job);
    },
    close: () => {
      closing = true;
      worker.postMessage('close');
      return ended;
    },
  };
}
