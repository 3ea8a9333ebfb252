import { extname } from 'node:path';
import { readImage } from '@voxface/datasets/node';
import type { Box, Pixels } from '@voxface/landmarks';
import { type LocatedFace, localizeImages } from '@voxface/predict';
import { PRETRAINED_DEFAULT } from '@voxface/pretrained';
import { describeError } from '../options.ts';
import { chooseBackend, findModelFolder, openDetector, openModel, parseDetector } from './open-model.ts';

export interface LocalizerOptions {
  model?: string;
  /** One face box for every photo, instead of a detector. */
  box?: Box;
  detector?: string;
  backend?: string;
  flip?: boolean;
}

/** What came of one photo; the picture only where it is at hand anyway. */
export type PhotoOutcome =
  | {
      readonly file: string;
      readonly width: number;
      readonly height: number;
      readonly image?: Pixels;
      readonly faces: readonly LocatedFace[];
      readonly error?: undefined;
    }
  | { readonly file: string; readonly error: string };

/** Runs detector and model over photos, results in order. */
export interface Localizer {
  readonly name: string;
  readonly backend: string;
  run(files: readonly string[]): AsyncIterable<PhotoOutcome>;
  /** Milliseconds spent in model and detector so far; null where threads share the work. */
  readonly times: { model: number; detector: number } | null;
  dispose(): void;
}

/** Photos from which on starting a thread per core pays. */
const THREADED_FROM = 16;

/**
 * Opens model and detector. Many photos on ONNX Runtime are shared among threads, each with its own networks;
 * few photos, other backends and the making of pictures stay in this thread, batched, with reading ahead.
 * @param photos how many there will be; 0 keeps everything in this thread.
 */
export async function openLocalizer(options: LocalizerOptions, photos: number): Promise<Localizer> {
  const { model = PRETRAINED_DEFAULT, backend = 'auto' } = options;
  const wantsOnnx = extname(model) === '.onnx' || backend === 'auto' || backend === 'onnx';
  if (photos >= THREADED_FROM && wantsOnnx && (await hasOnnxRuntime())) return openThreaded(model, options);
  return openHere(options);
}

async function hasOnnxRuntime(): Promise<boolean> {
  try {
    await import('onnxruntime-node');
    return true;
  } catch {
    return false;
  }
}

async function openThreaded(name: string, options: LocalizerOptions): Promise<Localizer> {
  const { localizePhotos } = await import('@voxface/onnx/node');
  const { loadModel } = await import('@voxface/models/node');
  await chooseBackend('cpu');
  const network = parseDetector(options.detector ?? 'ssd');
  const model = extname(name) === '.onnx' ? name : await loadModel(findModelFolder(name));
  const { box, flip } = options;
  return {
    name: name.split('/').at(-1)!,
    backend: 'onnxruntime-node',
    times: null,
    run: (files) =>
      localizePhotos(
        files.map((file) => ({ file, ...(box && { boxes: [box] }) })),
        { model, detector: box ? false : { network }, predictor: { flip } },
      ),
    dispose: () => {
      if (typeof model !== 'string') model.dispose();
    },
  };
}

async function openHere(options: LocalizerOptions): Promise<Localizer> {
  const { box, flip } = options;
  const { name, backend, predictor } = await openModel(options.model, { backend: options.backend, flip });
  const detector = box ? undefined : await openDetector(options.detector ?? 'ssd', backend);
  const times = { model: 0, detector: 0 };
  const timed =
    <A extends unknown[], R>(key: keyof typeof times, work: (...values: A) => Promise<R>) =>
    async (...values: A): Promise<R> => {
      const start = performance.now();
      const result = await work(...values);
      times[key] += performance.now() - start;
      return result;
    };
  const measured = {
    read: (file: string) => readImage(file, { orient: true }),
    predictor: { ...predictor, predictBatch: timed('model', predictor.predictBatch) },
    ...(detector && { detector: { ...detector, detect: timed('detector', detector.detect) } }),
    ...(box && { boxes: () => [box] }),
  };
  return {
    name,
    backend,
    times,
    async *run(files) {
      for await (const { source: file, ...result } of localizeImages(files, measured)) {
        if (result.error !== undefined) yield { file, error: describeError(result.error) };
        else yield { file, ...result, width: result.image.width, height: result.image.height };
      }
    },
    dispose: () => {
      predictor.dispose();
      detector?.dispose();
    },
  };
}
