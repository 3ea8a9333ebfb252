import { once } from 'node:events';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { startWorker } from '@voxface/datasets/node';
import type { Pixels } from '@voxface/landmarks';
import type { Candidate } from 'voxface/bench';
import type { FaceApiOrder, FaceApiSetup } from './face-api-worker.ts';

/** Side of the pictures that its landmark network sees. */
const INPUT_SIZE = 112;

/**
 * The 68-point network of `@vladmandic/face-api` on wasm in a thread of its own, fed with crops of the size that it
 * wants, as one batch.
 * @param folder where it is installed together with @tensorflow/tfjs and @tensorflow/tfjs-backend-wasm.
 * @throws Error saying how to install it.
 */
export async function openFaceApi(
  folder: string | undefined,
  cropsOf: (size: number) => readonly Uint8Array[],
): Promise<Candidate> {
  const worker = await startFaceApi(folder, { crops: cropsOf(INPUT_SIZE) });
  return {
    name: '@vladmandic/face-api, 68-point net, wasm, one batch',
    async run() {
      worker.postMessage('run');
      await once(worker, 'message');
      return undefined;
    },
    close: async () => {
      await worker.terminate();
    },
  };
}

/**
 * The faces that face-api's SSD detector and 68-point network find in photos, as its users call them.
 * @param load photo `index` as RGB.
 * @returns per photo and face [68] points in pixels.
 * @throws Error saying how to install it.
 */
export async function findWithFaceApi(
  folder: string | undefined,
  count: number,
  load: (index: number) => Promise<Pixels>,
): Promise<[number, number][][][]> {
  const worker = await startFaceApi(folder, { photos: true, crops: [] });
  try {
    const faces: [number, number][][][] = [];
    for (let index = 0; index < count; index++) {
      const { data, width, height } = await load(index);
      worker.postMessage({ data, width, height } as FaceApiOrder);
      const [found] = await once(worker, 'message');
      faces.push(found);
    }
    return faces;
  } finally {
    await worker.terminate();
  }
}

async function startFaceApi(
  folder: string | undefined,
  work: Pick<FaceApiSetup, 'crops' | 'photos'>,
): Promise<Worker> {
  if (folder === undefined) {
    throw new Error(
      'face-api: skipped (npm install @vladmandic/face-api @tensorflow/tfjs @tensorflow/tfjs-backend-wasm in a folder, then --peers FOLDER)',
    );
  }
  const require = createRequire(join(folder, 'package.json'));
  let root: string;
  let wasm: string;
  try {
    root = dirname(require.resolve('@vladmandic/face-api/package.json'));
    wasm = dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'));
  } catch {
    throw new Error(`face-api: skipped, it and @tensorflow/tfjs-backend-wasm are not in ${folder}`);
  }
  const workerData: FaceApiSetup = {
    library: join(root, 'dist/face-api.node-wasm.js'),
    models: join(root, 'model'),
    wasm: `${join(wasm, 'dist')}/`,
    size: INPUT_SIZE,
    ...work,
  };
  const worker = startWorker('face-api-worker', import.meta.url, { workerData });
  // Rejects when the thread fails.
  await once(worker, 'message');
  return worker;
}
