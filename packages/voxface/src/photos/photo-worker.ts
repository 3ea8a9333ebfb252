import { parentPort, workerData } from 'node:worker_threads';
import type { Pixels } from '@voxface/landmarks';
import { type LocatedImage, localizeImages } from '@voxface/predict';
import { readPhoto } from './list-photos.ts';
import { openOnnxRuntime } from './onnx-runtime.ts';
import type { PhotoAnswer, PhotoJob, ThreadSetup } from './photo-threads.ts';

/** The thread behind `localizePhotos`: does everything for its photos, on one core. */
const { model, detector, detectorOptions, predictorOptions, orient } = workerData as ThreadSetup;
// On one core crops one by one take as long as batches, and the memory of a run stays the same for every photo.
const runtime = await openOnnxRuntime();
const predictor = await runtime.createPredictor(copyOf(model), { batchSize: 1, ...predictorOptions }, 1);
const opened = detector && (await runtime.createDetector(copyOf(detector), detectorOptions, 1));

let closing = false;
let work = Promise.resolve();

parentPort!.on('message', (message: PhotoJob | 'close') => {
  if (message !== 'close') {
    // Read at once, beside the photo that is looked at; looked at in its turn.
    const image = readPhoto(message.request.file, { orient });
    image.catch(() => {});
    work = work.then(() => localize(message, image));
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

async function localize(job: PhotoJob, image: Promise<Pixels>): Promise<void> {
  if (closing) return;
  const results = localizeImages([job], {
    read: () => image,
    predictor,
    detector: opened ?? undefined,
    boxes: ({ request }) => request.boxes,
  });
  for await (const result of results) parentPort!.postMessage(toAnswer(result));
}

/** The runtime reads no shared memory. */
function copyOf(file: Uint8Array): Uint8Array {
  return Uint8Array.from(file);
}

function toAnswer(result: LocatedImage<PhotoJob>): PhotoAnswer {
  const { index } = result.source;
  if (result.error !== undefined) return { index, error: result.error.message };
  const { image, faces } = result;
  return { index, found: { width: image.width, height: image.height, faces } };
}
