import type { FaceShapeModel } from '@voxface/models';
import type { PredictorOptions } from '@voxface/predict';
import type * as runtime from 'onnxruntime-web';
import { readModelInfo } from './metadata.ts';
import { createSessionPredictor, type OnnxPredictor, type RuntimeSession } from './session-predictor.ts';

export interface OnnxWebPredictorOptions extends PredictorOptions {
  /** Execution providers in order of preference. */
  providers?: readonly ('wasm' | 'webgpu')[];
  /**
   * The runtime's build. Left out, `onnxruntime-web/wasm` is loaded when the predictor is made; for WebGPU pass
   * `await import('onnxruntime-web/webgpu')`, so that pages without it do not carry its 26 MB along.
   */
  runtime?: OnnxWebRuntime | null;
  /** Folder of the runtime's `.wasm` files; null leaves them where the bundler put them. */
  wasmPaths?: string | null;
  /** Threads; more than one needs a cross-origin isolated page. Null leaves the choice to the runtime. */
  threads?: number | null;
}

/** The part of `onnxruntime-web` that is used; every build of it fits. */
export type OnnxWebRuntime = Pick<typeof runtime, 'env' | 'InferenceSession' | 'Tensor'>;

export const ONNX_WEB_PREDICTOR_DEFAULTS: Required<Omit<OnnxWebPredictorOptions, keyof PredictorOptions>> = {
  providers: ['wasm'],
  runtime: null,
  wasmPaths: null,
  threads: null,
};

/**
 * A predictor on onnxruntime-web with the interface of `createPredictor`.
 * @param source address or bytes of a file written by `exportOnnx`, or a model, which is exported in memory.
 * @throws RangeError when the file is no voxface model or WebGPU lacks its build; Error when it cannot be fetched.
 */
export async function createOnnxPredictor(
  source: string | URL | Uint8Array | FaceShapeModel,
  options: OnnxWebPredictorOptions = {},
): Promise<OnnxPredictor> {
  const { providers, wasmPaths, threads, ...settings } = { ...ONNX_WEB_PREDICTOR_DEFAULTS, ...options };
  const file = await readSource(source);
  const info = readModelInfo(file);
  if (providers.includes('webgpu') && settings.runtime === null) {
    throw new RangeError(
      "createOnnxPredictor: the provider 'webgpu' needs its build, got no runtime (pass runtime: await import('onnxruntime-web/webgpu'))",
    );
  }
  const ort: OnnxWebRuntime = settings.runtime ?? (await import('onnxruntime-web/wasm'));
  if (wasmPaths !== null) ort.env.wasm.wasmPaths = wasmPaths;
  if (threads !== null) ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create(file, {
    executionProviders: [...providers],
    graphOptimizationLevel: 'all',
  });
  return createSessionPredictor(
    session as unknown as RuntimeSession,
    info,
    (data, dims) => new ort.Tensor('float32', data, dims),
    options,
  );
}

async function readSource(source: string | URL | Uint8Array | FaceShapeModel): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (typeof source !== 'string' && !(source instanceof URL)) {
    // Only here: a file needs no TensorFlow.js.
    const { exportOnnx } = await import('./export-onnx.ts');
    return exportOnnx(source);
  }
  const response = await fetch(source);
  if (!response.ok) {
    throw new Error(`createOnnxPredictor: expected a file at ${source}, got status ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
