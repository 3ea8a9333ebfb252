import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { withDefaults } from '@voxface/landmarks';
import type { DetectorOptions, FaceDetector, PredictorOptions } from '@voxface/predict';
import type * as runtime from 'onnxruntime-node';
import { readModelInfo } from '../metadata.ts';
import {
  createSessionDetector,
  createSessionPredictor,
  type OnnxPredictor,
  type RuntimeSession,
} from './onnx-predictor.ts';

/** How onnxruntime-node runs a file. */
export interface NodeSessionOptions {
  /**
   * Execution providers in order of preference: `cpu`, and `webgpu`, `cuda`, `coreml`, `dml` where they are.
   * @default ['cpu']
   */
  providers?: readonly string[];
  /**
   * Threads of one operator; null takes every core this process may use.
   * @default null
   */
  threads?: number | null;
}

export const NODE_SESSION_DEFAULTS: Required<NodeSessionOptions> = { providers: ['cpu'], threads: null };

/** Options of `createOnnxPredictor` in Node. */
export interface OnnxPredictorOptions extends PredictorOptions, NodeSessionOptions {}

/**
 * A predictor on onnxruntime-node with the interface of `createPredictor`. Needs no TensorFlow.js.
 * @param source a file written by `exportOnnx` (path, `file:` URL or bytes), or a model of `@voxface/models`, which is exported
 * in memory; that takes TensorFlow.js.
 * @throws RangeError when the file is no voxface model; Error when onnxruntime-node is not installed.
 */
export async function createOnnxPredictor(
  source: string | URL | Uint8Array | ExportableModel,
  options: OnnxPredictorOptions = {},
): Promise<OnnxPredictor> {
  const file = isModel(source)
    ? await (await import('../export-onnx.ts')).exportOnnx(source as never)
    : await readSource(source);
  const info = readModelInfo(file);
  const { runtime, session } = await openNodeSession(file, options);
  return createSessionPredictor(
    session as unknown as RuntimeSession,
    info,
    (data, dims) => new runtime.Tensor('float32', data, dims),
    options,
  );
}

/** Options of `createOnnxDetector` in Node. */
export interface OnnxDetectorOptions extends DetectorOptions, NodeSessionOptions {}

/**
 * A face detector on onnxruntime-node, several times as fast as on wasm. Needs no TensorFlow.js.
 * @param source a file written by `exportDetector` (path, `file:` URL or bytes), or the name of one of face-api's networks, which is
 * exported in memory; that takes TensorFlow.js and `@vladmandic/face-api`.
 * @throws RangeError when the file is no voxface detector; Error when onnxruntime-node is not installed.
 */
export async function createOnnxDetector(
  source: string | URL | Uint8Array | { readonly network: 'ssd' | 'tiny' },
  options: OnnxDetectorOptions = {},
): Promise<FaceDetector> {
  const file = isNamed(source)
    ? await (await import('../export-detector.ts')).exportDetector(source)
    : await readSource(source);
  const { runtime, session } = await openNodeSession(file, options);
  return createSessionDetector(
    session as unknown as RuntimeSession,
    file,
    (data, dims) => new runtime.Tensor('float32', data, dims),
    options,
  );
}

/** A model of `@voxface/models`, told by its networks, so that these types need no TensorFlow.js. */
export interface ExportableModel {
  readonly options: object;
  readonly estimator: object;
  readonly regressor: object;
}

function isModel(source: string | URL | Uint8Array | ExportableModel): source is ExportableModel {
  return typeof source === 'object' && 'estimator' in source;
}

function isNamed(
  source: string | URL | Uint8Array | { readonly network: 'ssd' | 'tiny' },
): source is { readonly network: 'ssd' | 'tiny' } {
  return typeof source === 'object' && 'network' in source;
}

async function readSource(source: string | URL | Uint8Array): Promise<Uint8Array> {
  return source instanceof Uint8Array ? source : readFile(source);
}

/**
 * Opens a model with onnxruntime-node.
 * @throws Error when onnxruntime-node is not installed.
 */
export async function openNodeSession(
  file: Uint8Array,
  options: NodeSessionOptions = {},
): Promise<{ runtime: typeof runtime; session: runtime.InferenceSession }> {
  const { providers, threads } = withDefaults(NODE_SESSION_DEFAULTS, options);
  const loaded = await loadRuntime();
  const session = await loaded.InferenceSession.create(file, {
    executionProviders: providers as runtime.InferenceSession.ExecutionProviderConfig[],
    intraOpNumThreads: threads ?? availableParallelism(),
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
  });
  return { runtime: loaded, session };
}

async function loadRuntime(): Promise<typeof runtime> {
  try {
    return await import('onnxruntime-node');
  } catch (cause) {
    throw new Error(
      'openNodeSession: onnxruntime-node could not be loaded (install it beside @voxface/onnx: npm install onnxruntime-node)',
      { cause },
    );
  }
}
