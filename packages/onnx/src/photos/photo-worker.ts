import { parentPort, workerData } from 'node:worker_threads';
import { readImage } from '@voxface/datasets/node';
import { type LocatedImage, localizeImages } from '@voxface/models';
import { createOnnxPredictor } from '../create-node-predictor.ts';
import { openDetector } from '../create-onnx-detector.ts';
import type { PhotoAnswer, PhotoJob, ThreadSetup } from './photo-job.ts';

/** The thread behind `localizePhotos`: does everything for its photos, on one core. */
const { model, detector, detectorOptions, predictorOptions, orient } = workerData as ThreadSetup;
const predictor = await createOnnxPredictor(copyOf(model), { ...predictorOptions, threads: 1 });
const opened =
  detector &&
  (await openDetector({ ...detector, file: copyOf(detector.file) }, { ...detectorOptions, threads: 1 }));

let closing = false;
let work = Promise.resolve();

parentPort!.on('message', (message: PhotoJob | 'close') => {
  if (message !== 'close') {
    work = work.then(() => localize(message));
    return;
  }
  // The thread must end by itself: killed in the middle of a run, the runtime takes the process along.
  closing = true;
  work = work.then(async () => {
    predictor.dispose();
    opened?.dispose();
    parentPort!.close();
  });
});

async function localize({ photos }: PhotoJob): Promise<void> {
  const results = localizeImages(photos, {
    read: ({ request }) => readImage(request.file, { orient }),
    predictor,
    detector: opened ?? undefined,
    boxes: ({ request }) => request.boxes,
  });
  let done = 0;
  for await (const result of results) {
    if (closing) return;
    done += 1;
    parentPort!.postMessage(toAnswer(result, done === photos.length));
  }
}

/** The runtime reads no shared memory. */
function copyOf(file: Uint8Array): Uint8Array {
  return Uint8Array.from(file);
}

function toAnswer(result: LocatedImage<PhotoJob['photos'][number]>, last: boolean): PhotoAnswer {
  const { index } = result.source;
  if (result.error !== undefined) return { index, error: result.error.message, last };
  const { image, faces } = result;
  return { index, found: { width: image.width, height: image.height, faces }, last };
}
