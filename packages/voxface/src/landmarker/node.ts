import { readFile } from 'node:fs/promises';
import { decodeImage } from '@voxface/datasets/node';
import type { FaceDetector, ImageSource } from '@voxface/predict';
import { PRETRAINED_DEFAULT, type PretrainedDetector } from '@voxface/pretrained';
import { readAddress } from '../photos/list-photos.ts';
import { type OnnxRuntimeName, openOnnxRuntime } from '../photos/onnx-runtime.ts';
import { readDetectorFile, readModelFile } from '../photos/open-model.ts';
import { type CommonLandmarkerOptions, createLandmarker, type FaceLandmarker } from './face-landmarker.ts';

/** An image: path, address, encoded bytes or Blob, or what `@voxface/predict` reads (pixels, tensors, ...). */
export type PhotoSource = string | URL | Uint8Array | Blob | ImageSource;

/** Options of `createFaceLandmarker` in Node. */
export interface FaceLandmarkerOptions extends CommonLandmarkerOptions {
  /**
   * Name of a pretrained model, folder of a saved one, path, address or bytes of an `.onnx` file.
   * @default 'small'
   */
  model?: string | URL | Uint8Array;
  /**
   * `ssd` (thorough), `tiny` (fast), address or bytes of an `.onnx` file, a detector of your own, or false if every call
   * brings its boxes.
   * @default 'ssd'
   */
  detector?: PretrainedDetector | URL | Uint8Array | FaceDetector | false;
  /**
   * `onnxruntime-node` or the WebAssembly build that comes with this package.
   * @default onnxruntime-node where it is installed
   */
  runtime?: OnnxRuntimeName;
  /**
   * Threads of the networks (onnxruntime-node only); null takes every core.
   * @default null
   */
  threads?: number | null;
}

/**
 * Opens model, detector and runtime.
 * @throws Error when a file or runtime that is asked for is missing.
 * @example
 * ```js
 * import { createFaceLandmarker } from 'voxface';
 *
 * const landmarker = await createFaceLandmarker();
 * const [face] = await landmarker.detect('photo.jpg');
 * console.log(face.pose.yaw, face.landmarks.points); // [68, 3] in pixels
 * landmarker.dispose();
 * ```
 */
export async function createFaceLandmarker(
  options: FaceLandmarkerOptions = {},
): Promise<FaceLandmarker<PhotoSource>> {
  const {
    model = PRETRAINED_DEFAULT,
    detector = 'ssd',
    threads = null,
    flip,
    crops,
    refine,
    video,
  } = options;
  const runtime = await openOnnxRuntime(options.runtime);
  const { file } = await readModelFile(model instanceof URL ? await readAddress(model) : model);
  const predictor = await runtime.createPredictor(file, { flip, crops, refine }, threads);
  const isReady = typeof detector === 'object' && 'detect' in detector;
  const opened = isReady
    ? detector
    : detector === false
      ? undefined
      : await runtime.createDetector(await readDetector(detector), options.detectorOptions ?? {}, threads);
  return createLandmarker({ runtime: runtime.name, predictor, detector: opened, read: readPhoto, video });
}

async function readDetector(detector: PretrainedDetector | URL | Uint8Array): Promise<Uint8Array> {
  if (detector instanceof Uint8Array) return detector;
  return detector instanceof URL ? readAddress(detector) : readDetectorFile(detector);
}

/** Turns photos upright as their orientation tags say. */
async function readPhoto(photo: PhotoSource): Promise<ImageSource> {
  if (typeof photo === 'string') {
    return /^(https?|file|data):/.test(photo)
      ? decode(await readAddress(new URL(photo)), photo)
      : decode(await readFile(photo), photo);
  }
  if (photo instanceof URL) return decode(await readAddress(photo), photo.href);
  if (photo instanceof Uint8Array) return decode(photo, 'the given bytes');
  if (photo instanceof Blob) return decode(new Uint8Array(await photo.arrayBuffer()), 'the given Blob');
  return photo;
}

const decode = (bytes: Uint8Array, name: string): Promise<ImageSource> =>
  decodeImage(bytes, name, { orient: true });
