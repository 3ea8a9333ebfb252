import { createOnnxDetector, createOnnxPredictor, type OnnxWebRuntime } from '@voxface/onnx/web';
import type { FaceDetector, ImageSource } from '@voxface/predict';
import { type CommonLandmarkerOptions, createLandmarker, type FaceLandmarker } from './face-landmarker.ts';

/** An image: address, encoded bytes, Blob or File, or what a page draws (image, video, canvas, bitmap, ImageData, ...). */
export type PhotoSource = string | URL | Uint8Array<ArrayBuffer> | Blob | ImageSource;

/** Options of `createFaceLandmarker` in a page or a worker. */
export interface FaceLandmarkerOptions extends CommonLandmarkerOptions {
  /**
   * Folder that serves `small-int8.onnx`, `detector-tiny.onnx` and `ort-wasm-simd-threaded.wasm` of this package.
   * @default beside this module, where bundlers and CDNs put them
   */
  assets?: string | URL;
  /**
   * Address or bytes of an `.onnx` file that `exportOnnx` wrote.
   * @default 'small-int8.onnx' of the assets
   */
  model?: string | URL | Uint8Array;
  /**
   * Address or bytes of an `.onnx` file that `exportDetector` wrote, a detector of your own, or false if every call
   * brings its boxes.
   * @default 'detector-tiny.onnx' of the assets
   */
  detector?: string | URL | Uint8Array | FaceDetector | false;
  /**
   * Execution providers in order of preference; `webgpu` needs its build as `runtime`.
   * @default ['wasm']
   */
  providers?: readonly ('wasm' | 'webgpu')[];
  /**
   * Another build of `onnxruntime-web`, such as `await import('onnxruntime-web/webgpu')`.
   * @default the WebAssembly build inside this package
   */
  runtime?: OnnxWebRuntime;
  /**
   * Threads; more than one needs a cross-origin isolated page. Null leaves the choice to the runtime.
   * @default null
   */
  threads?: number | null;
}

/**
 * Opens model, detector and runtime in a page or a worker.
 * @throws Error when a file is not found at its address.
 * @example
 * ```js
 * import { createFaceLandmarker } from 'voxface/web';
 *
 * const landmarker = await createFaceLandmarker();
 * const faces = await landmarker.detect(document.querySelector('img'));
 * ```
 */
export async function createFaceLandmarker(
  options: FaceLandmarkerOptions = {},
): Promise<FaceLandmarker<PhotoSource>> {
  const {
    assets,
    model,
    detector,
    flip,
    crops,
    refine,
    video,
    detectorOptions,
    providers,
    threads = null,
  } = options;
  // Spelled out, because bundlers copy files whose addresses they can read.
  const addresses = {
    model: new URL('./small-int8.onnx', import.meta.url),
    detector: new URL('./detector-tiny.onnx', import.meta.url),
    wasm: new URL('./ort-wasm-simd-threaded.wasm', import.meta.url),
  };
  const locate = (address: URL, name: string): URL =>
    assets === undefined ? address : new URL(name, folderOf(assets));
  const isReady = typeof detector === 'object' && 'detect' in detector;
  // Asked for at once, runtime and networks side by side.
  const files = Promise.all([
    readFile(model ?? locate(addresses.model, 'small-int8.onnx')),
    isReady || detector === false
      ? undefined
      : readFile(detector ?? locate(addresses.detector, 'detector-tiny.onnx')),
  ]);
  files.catch(() => {});
  const runtime = options.runtime ?? (await import('onnxruntime-web/wasm'));
  if (options.runtime === undefined) {
    runtime.env.wasm.wasmPaths = { wasm: locate(addresses.wasm, 'ort-wasm-simd-threaded.wasm').href };
  }
  const session = { runtime, threads, ...(providers && { providers }) };
  const [modelFile, detectorFile] = await files;
  const predictor = await createOnnxPredictor(modelFile, { flip, crops, refine, ...session });
  return createLandmarker({
    runtime: 'onnxruntime-web',
    predictor,
    detector: isReady
      ? detector
      : detectorFile &&
        whenNeeded(() => createOnnxDetector(detectorFile, { ...detectorOptions, ...session })),
    read: readPhoto,
    video,
  });
}

/** A detector that is opened when it first has to look: faces whose boxes are known do not wait for it. */
function whenNeeded(open: () => Promise<FaceDetector>): FaceDetector {
  let opened: Promise<FaceDetector> | undefined;
  return {
    detect: async (image) => {
      opened ??= open();
      return (await opened).detect(image);
    },
    dispose: () => {
      opened?.then((detector) => detector.dispose()).catch(() => {});
    },
  };
}

function folderOf(assets: string | URL): URL {
  const base = typeof document === 'undefined' ? globalThis.location?.href : document.baseURI;
  const { href } = new URL(assets, base);
  return new URL(href.endsWith('/') ? href : `${href}/`);
}

async function readFile(source: string | URL | Uint8Array): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  const response = await fetch(source);
  const type = response.headers.get('content-type') ?? '';
  if (!response.ok || type.startsWith('text/html')) {
    throw new Error(
      `createFaceLandmarker: expected an .onnx file at ${source}, got ${response.ok ? 'a page' : `status ${response.status}`} (serve the files of voxface's dist folder and pass their address as \`assets\`)`,
    );
  }
  return new Uint8Array(await response.arrayBuffer());
}

async function readPhoto(photo: PhotoSource): Promise<ImageSource> {
  if (typeof photo === 'string' || photo instanceof URL) {
    const response = await fetch(photo);
    if (!response.ok) throw new Error(`detect: expected an image at ${photo}, got status ${response.status}`);
    return createImageBitmap(await response.blob());
  }
  if (photo instanceof Uint8Array) return createImageBitmap(new Blob([photo]));
  return photo instanceof Blob ? createImageBitmap(photo) : photo;
}
