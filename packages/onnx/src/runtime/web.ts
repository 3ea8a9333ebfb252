import { withDefaults } from '@voxface/landmarks';
import type { DetectorOptions, FaceDetector, PredictorOptions } from '@voxface/predict';
import { readModelInfo } from '../metadata.ts';
import {
  createSessionDetector,
  createSessionPredictor,
  type OnnxPredictor,
  type RuntimeSession,
  type RuntimeTensor,
} from './onnx-predictor.ts';

/** How onnxruntime-web runs a file. */
export interface WebSessionOptions {
  /**
   * Execution providers in order of preference.
   * @default ['wasm']
   */
  providers?: readonly ('wasm' | 'webgpu')[];
  /**
   * The runtime's build. Left out, `onnxruntime-web/wasm` is loaded when the predictor is made; for WebGPU pass
   * `await import('onnxruntime-web/webgpu')`, so that pages without it do not carry its 26 MB along.
   * @default null
   */
  runtime?: OnnxWebRuntime | null;
  /**
   * Folder of the runtime's `.wasm` files; null leaves them where the bundler put them.
   * @default null
   */
  wasmPaths?: string | null;
  /**
   * Threads; more than one needs a cross-origin isolated page. Null leaves the choice to the runtime.
   * @default null
   */
  threads?: number | null;
}

/** The part of `onnxruntime-web` that is used; every build of it fits. */
export interface OnnxWebRuntime {
  // Spelled out, so that the types need no package that is not installed.
  readonly env: { readonly wasm: { wasmPaths?: string | object; numThreads?: number } };
  readonly InferenceSession: {
    create(
      file: Uint8Array,
      options: { executionProviders: ('wasm' | 'webgpu')[]; graphOptimizationLevel: 'all' },
    ): Promise<unknown>;
  };
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => RuntimeTensor;
}

export const WEB_SESSION_DEFAULTS: Required<WebSessionOptions> = {
  providers: ['wasm'],
  runtime: null,
  wasmPaths: null,
  threads: null,
};

/** Options of `createOnnxPredictor` in a page. */
export interface OnnxPredictorOptions extends PredictorOptions, WebSessionOptions {}

/**
 * A predictor on onnxruntime-web with the interface of `createPredictor`. Needs no TensorFlow.js.
 * @param source address or bytes of a file written by `exportOnnx`.
 * @throws RangeError when the file is no voxface model or WebGPU lacks its build; Error when it cannot be fetched.
 */
export async function createOnnxPredictor(
  source: string | URL | Uint8Array,
  options: OnnxPredictorOptions = {},
): Promise<OnnxPredictor> {
  const file = await readSource(source, 'createOnnxPredictor');
  const info = readModelInfo(file);
  const { session, ort } = await openWebSession(file, options, 'createOnnxPredictor');
  return createSessionPredictor(
    session,
    info,
    (data, dims) => new ort.Tensor('float32', data, dims),
    options,
  );
}

/** Options of `createOnnxDetector` in a page. */
export interface OnnxDetectorOptions extends DetectorOptions, WebSessionOptions {}

/**
 * A face detector on onnxruntime-web. Needs no TensorFlow.js.
 * @param source address or bytes of a file written by `exportDetector`.
 * @throws RangeError when the file is no voxface detector or WebGPU lacks its build; Error when it cannot be fetched.
 */
export async function createOnnxDetector(
  source: string | URL | Uint8Array,
  options: OnnxDetectorOptions = {},
): Promise<FaceDetector> {
  const file = await readSource(source, 'createOnnxDetector');
  const { session, ort } = await openWebSession(file, options, 'createOnnxDetector');
  return createSessionDetector(session, file, (data, dims) => new ort.Tensor('float32', data, dims), options);
}

async function readSource(source: string | URL | Uint8Array, caller: string): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  const response = await fetch(source);
  if (!response.ok) {
    throw new Error(`${caller}: expected a file at ${source}, got status ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

async function openWebSession(
  file: Uint8Array,
  options: WebSessionOptions,
  caller: string,
): Promise<{ session: RuntimeSession; ort: OnnxWebRuntime }> {
  const { providers, wasmPaths, threads, runtime: build } = withDefaults(WEB_SESSION_DEFAULTS, options);
  if (providers.includes('webgpu') && build === null) {
    throw new RangeError(
      `${caller}: the provider 'webgpu' needs its build, got no runtime (pass runtime: await import('onnxruntime-web/webgpu'))`,
    );
  }
  const ort: OnnxWebRuntime = build ?? (await import('onnxruntime-web/wasm'));
  if (wasmPaths !== null) ort.env.wasm.wasmPaths = wasmPaths;
  if (threads !== null) ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create(file, {
    executionProviders: [...providers],
    graphOptimizationLevel: 'all',
  });
  return { session: session as RuntimeSession, ort };
}
