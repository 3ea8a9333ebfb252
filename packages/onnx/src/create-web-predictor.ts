import type { FaceShapeModel, PredictorOptions } from '@voxface/models';
import type * as runtime from 'onnxruntime-web';
import { exportOnnx } from './export-onnx.ts';
import { readModelInfo } from './metadata.ts';
import { createSessionPredictor, type OnnxPredictor, type RuntimeSession } from './session-predictor.ts';

export interface OnnxWebPredictorOptions extends PredictorOptions {
  /** Execution providers in order of preference; `webgpu` needs the runtime's own WebGPU build. */
  providers?: readonly ('wasm' | 'webgpu')[];
  /** Folder of the runtime's `.wasm` files; null leaves them where the bundler put them. */
  wasmPaths?: string | null;
  /** Threads; more than one needs a cross-origin isolated page. Null leaves the choice to the runtime. */
  threads?: number | null;
}

export const ONNX_WEB_PREDICTOR_DEFAULTS: Required<Omit<OnnxWebPredictorOptions, keyof PredictorOptions>> = {
  providers: ['wasm'],
  wasmPaths: null,
  threads: null,
};

/**
 * A predictor on onnxruntime-web with the interface of `createPredictor`.
 * @param source address or bytes of a file written by `exportOnnx`, or a model, which is exported in memory.
 * @throws RangeError when the file is no voxface model; Error when it cannot be fetched.
 */
export async function createOnnxPredictor(
  source: string | URL | Uint8Array | FaceShapeModel,
  options: OnnxWebPredictorOptions = {},
): Promise<OnnxPredictor> {
  const { providers, wasmPaths, threads } = { ...ONNX_WEB_PREDICTOR_DEFAULTS, ...options };
  const file = await readSource(source);
  const info = readModelInfo(file);
  const ort: typeof runtime = providers.includes('webgpu')
    ? await import('onnxruntime-web/webgpu')
    : await import('onnxruntime-web');
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
  if (typeof source !== 'string' && !(source instanceof URL)) return exportOnnx(source);
  const response = await fetch(source);
  if (!response.ok) {
    throw new Error(`createOnnxPredictor: expected a file at ${source}, got status ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}
