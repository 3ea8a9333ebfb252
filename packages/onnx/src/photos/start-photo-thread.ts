import { startWorker } from '@voxface/datasets/node';
import type { PhotoAnswer, PhotoJob, ThreadSetup } from './photo-job.ts';

export interface PhotoThread {
  /** Sends a job; `done` is called with its last answer. */
  send(job: PhotoJob, done: () => void): void;
  /** Resolves when the thread has ended, after the photos that it is at. */
  close(): Promise<void>;
}

/** Starts one thread of `localizePhotos`. Its `answer` is called for every photo, `fail` when the thread dies. */
export function startPhotoThread(
  setup: ThreadSetup,
  on: { answer(answer: PhotoAnswer): void; fail(error: Error): void },
): PhotoThread {
  const worker = startWorker('photo-worker', import.meta.url, { workerData: setup });
  let finish: (() => void) | undefined;
  worker.on('message', (answer: PhotoAnswer) => {
    on.answer(answer);
    if (answer.last) finish?.();
  });
  worker.on('error', on.fail);
  const ended = new Promise<void>((resolve) => {
    worker.on('exit', () => resolve());
  });
  return {
    send: (job, done) => {
      finish = done;
      worker.postMessage(job);
    },
    close: () => {
      worker.postMessage('close');
      return ended;
    },
  };
}
