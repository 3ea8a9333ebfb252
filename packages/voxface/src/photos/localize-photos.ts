import { availableParallelism } from 'node:os';
import { type Pixels, withDefaults } from '@voxface/landmarks';
import type { ExportableModel } from '@voxface/onnx/node';
import {
  type DetectorOptions,
  type LocatedFace,
  localizeImages,
  type Predictor,
  type PredictorOptions,
} from '@voxface/predict';
import { PRETRAINED_DEFAULT, type PretrainedDetector } from '@voxface/pretrained';
import { describeError } from '../options.ts';
import { readPhoto } from './list-photos.ts';
import { openOnnxRuntime } from './onnx-runtime.ts';
import { openDetector, openModel, readDetectorFile, readModelFile, usesOnnx } from './open-model.ts';
import { type PhotoRequest, runPhotoThreads } from './photo-threads.ts';

/** Options of `localizePhotos`. */
export interface LocalizePhotosOptions {
  /**
   * Name of a pretrained model, folder of a saved one, `.onnx` file, the bytes of one, or a model of `@voxface/models`.
   * @default 'small'
   */
  model?: string | Uint8Array | ExportableModel;
  /**
   * Detector for photos without boxes; false when every photo comes with its boxes.
   * @default 'ssd'
   */
  detector?: PretrainedDetector | false;
  /** @default {} */
  detectorOptions?: DetectorOptions;
  /** @default {} */
  predictor?: PredictorOptions;
  /**
   * `auto` and `onnx`: ONNX Runtime; or a TensorFlow.js backend.
   * @default 'auto'
   */
  backend?: string;
  /**
   * Turns photos upright according to their orientation tags.
   * @default true
   */
  orient?: boolean;
  /**
   * Threads, each with its own networks on one core (ONNX Runtime only). 0 keeps the work in this thread; null takes
   * every core for 16 photos or more.
   * @default null
   */
  threads?: number | null;
  /**
   * Also gives the decoded photos, which keeps the work in this thread.
   * @default false
   */
  images?: boolean;
}

export const LOCALIZE_PHOTOS_DEFAULTS: Required<LocalizePhotosOptions> = {
  model: PRETRAINED_DEFAULT,
  detector: 'ssd',
  detectorOptions: {},
  predictor: {},
  backend: 'auto',
  orient: true,
  threads: null,
  images: false,
};

/** The result for one photo; `error` says in a line why it failed. */
export type LocatedPhoto =
  | {
      readonly file: string;
      readonly width: number;
      readonly height: number;
      readonly faces: readonly LocatedFace[];
      /** With `images: true`. */
      readonly image?: Pixels;
      readonly error?: undefined;
    }
  | { readonly file: string; readonly error: string };

/** Number of photos from which starting a thread per core pays off. */
const THREADED_FROM = 16;

/**
 * Landmarks of every face in many photos (paths or addresses), in the order of the photos. A photo that fails is reported in its place
 * and the others are still done. Many photos are shared among threads; few are read ahead and batched in this one.
 * @throws RangeError when `threads` is negative or fractional; UsageError when there is no such model or detector.
 * @example
 * ```js
 * import { localizePhotos } from 'voxface';
 *
 * for await (const photo of localizePhotos(['photo.jpg', 'missing.jpg'])) {
 *   if (photo.error) console.error(photo.file, photo.error);
 *   else console.log(photo.file, photo.faces.map((face) => face.pose.yaw));
 * }
 * ```
 */
export async function* localizePhotos(
  photos: readonly (string | PhotoRequest)[],
  options: LocalizePhotosOptions = {},
): AsyncGenerator<LocatedPhoto> {
  if (photos.length === 0) return;
  const localizer = await openLocalizer(options, photos.length);
  try {
    yield* localizer.run(photos);
  } finally {
    localizer.dispose();
  }
}

/** Runs detector and model over photos, results in order. */
export interface Localizer {
  readonly name: string;
  readonly backend: string;
  run(photos: readonly (string | PhotoRequest)[]): AsyncIterable<LocatedPhoto>;
  /** Milliseconds spent in model and detector so far; null where threads share the work. */
  readonly times: { model: number; detector: number } | null;
  dispose(): void;
}

/**
 * Opens model and detector for `localizePhotos`.
 * @param count how many photos there will be.
 */
export async function openLocalizer(options: LocalizePhotosOptions, count: number): Promise<Localizer> {
  const settings: Required<LocalizePhotosOptions> = withDefaults(LOCALIZE_PHOTOS_DEFAULTS, options);
  const { threads, model, backend } = settings;
  if (threads !== null && !(Number.isInteger(threads) && threads >= 0)) {
    throw new RangeError(`localizePhotos: threads must be a whole number from 0 or null, got ${threads}`);
  }
  const cores = threads ?? (count < THREADED_FROM ? 0 : availableParallelism());
  return cores > 0 && !settings.images && usesOnnx(model, backend)
    ? openThreaded(settings, cores)
    : openHere(settings);
}

async function openThreaded(settings: Required<LocalizePhotosOptions>, cores: number): Promise<Localizer> {
  const { detector, detectorOptions, predictor, orient } = settings;
  const { name, file } = await readModelFile(settings.model);
  const runtime = await openOnnxRuntime();
  const setup = {
    model: file,
    detector: detector === false ? null : await readDetectorFile(detector),
    detectorOptions,
    predictorOptions: predictor,
    orient,
  };
  return {
    name,
    backend: runtime.name,
    times: null,
    async *run(photos) {
      const requests = photos.map(requestOf);
      for await (const { index, found, error } of runPhotoThreads(requests, setup, cores)) {
        const { file: photo } = requests[index];
        yield error === undefined ? { file: photo, ...found! } : { file: photo, error };
      }
    },
    dispose: () => {},
  };
}

async function openHere(settings: Required<LocalizePhotosOptions>): Promise<Localizer> {
  const { orient, images, detector: detectorName, detectorOptions } = settings;
  const { name, backend, predictor } = await openPredictor(settings);
  const detector = detectorName === false ? undefined : await openDetector(detectorName, detectorOptions);
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
    read: ({ file }: PhotoRequest) => readPhoto(file, { orient }),
    boxes: ({ boxes }: PhotoRequest) => boxes,
    predictor: { ...predictor, predictBatch: timed('model', predictor.predictBatch) },
    ...(detector && { detector: { ...detector, detect: timed('detector', detector.detect) } }),
  };
  return {
    name,
    backend,
    times,
    async *run(photos) {
      for await (const result of localizeImages(photos.map(requestOf), measured)) {
        const { file } = result.source;
        if (result.error !== undefined) yield { file, error: describeError(result.error) };
        else {
          const { image, faces } = result;
          yield { file, width: image.width, height: image.height, faces, ...(images && { image }) };
        }
      }
    },
    dispose: () => {
      predictor.dispose();
      detector?.dispose();
    },
  };
}

async function openPredictor(
  settings: Required<LocalizePhotosOptions>,
): Promise<{ name: string; backend: string; predictor: Predictor }> {
  const { model, backend, predictor: options } = settings;
  if (typeof model === 'string') return openModel(model, { ...options, backend });
  const { name, file } = await readModelFile(model);
  const runtime = await openOnnxRuntime();
  return { name, backend: runtime.name, predictor: await runtime.createPredictor(file, options, null) };
}

function requestOf(photo: string | PhotoRequest): PhotoRequest {
  return typeof photo === 'string' ? { file: photo } : photo;
}
