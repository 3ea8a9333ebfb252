import { startWorker } from '@voxface/datasets/node';
import type { PhotoAnswer, PhotoJob, ThreadSetup } from './photo-job.ts';

export interface PhotoThread {
  /** Photos that it was sent and has not answered. */
  readonly pending: number;
  send(job: PhotoJob): void;
  /** Resolves when the thread has ended, after the photo that it is at. */
  close(): Promise<void>;
}

/** Starts one thread of `localizePhotos`. Its `answer` is called for every photo, `fail` when the thread dies. */
export function startPhotoThread(
  setup: ThreadSetup,
  on: { answer(answer: PhotoAnswer): void; fail(error: Error): void },
): PhotoThread {
  const worker = startWorker('photo-worker', import.meta.url, { workerData: setup });
  let pending = 0;
  worker.on('message', (answer: PhotoAnswer) => {
    pending -= 1;
    on.answer(answer);
  });
  worker.on('error', on.fail);
  const ended = new Promise<void>((resolve) => {
    worker.on('exit', () => resolve());
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
      worker.postMessage('close');
      return ended;
    },
  };
}
