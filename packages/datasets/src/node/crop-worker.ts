import { parentPort } from 'node:worker_threads';
import type { Pixels } from '@voxface/landmarks';
import sharp from 'sharp';
import { cropImage } from '../crop-sample.ts';
import type { CropAnswer, CropJob, SharedPicture } from './crop-workers.ts';
import { decodeImage } from './read-image.ts';

/** The thread behind `createCropWorkers`: decodes and crops, one job after the other. */
sharp.cache(false);
sharp.concurrency(1);

parentPort?.on('message', async (job: CropJob) => {
  try {
    const answer = await cutCrop(job);
    parentPort?.postMessage(answer, [answer.pixels!.buffer as ArrayBuffer]);
  } catch (error) {
    parentPort?.postMessage({ number: job.number, error: (error as Error).message } satisfies CropAnswer);
  }
});

async function cutCrop(job: CropJob): Promise<CropAnswer> {
  const image = job.picture
    ? viewPicture(job.picture)
    : await decodeImage(job.encoded!, job.name, { orient: job.orient });
  const { width, height } = image;
  const pixels = cropImage(image, job.crop, job.options);
  return {
    number: job.number,
    pixels,
    width,
    height,
    ...(job.keep && { picture: sharePicture(image) }),
  };
}

function viewPicture({ buffer, width, height }: SharedPicture): Pixels {
  return { data: new Uint8Array(buffer), width, height, channels: 3 };
}

function sharePicture({ data, width, height }: Pixels): SharedPicture {
  const buffer = new SharedArrayBuffer(data.length);
  new Uint8Array(buffer).set(data);
  return { buffer, width, height };
}
