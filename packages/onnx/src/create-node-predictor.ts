import { readFile } from 'node:fs/promises';
import type { FaceShapeModel } from '@voxface/models';
import type { PredictorOptions } from '@voxface/predict';
import { readModelInfo } from './metadata.ts';
import { NODE_SESSION_DEFAULTS, type NodeSessionOptions, openNodeSession } from './node-runtime.ts';
import { createSessionPredictor, type OnnxPredictor, type RuntimeSession } from './session-predictor.ts';

export interface OnnxPredictorOptions extends PredictorOptions, NodeSessionOptions {}

export const ONNX_PREDICTOR_DEFAULTS: Required<NodeSessionOptions> = NODE_SESSION_DEFAULTS;

/**
 * A predictor on onnxruntime-node with the interface of `createPredictor`.
 * @param source a file written by `exportOnnx` (path or bytes), or a model, which is exported in memory.
 * @throws RangeError when the file is no voxface model; Error when onnxruntime-node is not installed.
 */
export async function createOnnxPredictor(
  source: string | Uint8Array | FaceShapeModel,
  options: OnnxPredictorOptions = {},
): Promise<OnnxPredictor> {
  const file = await readSource(source);
  const info = readModelInfo(file);
  const { runtime, session } = await openNodeSession(file, options);
  return createSessionPredictor(
    session as unknown as RuntimeSession,
    info,
    (data, dims) => new runtime.Tensor('float32', data, dims),
    options,
  );
}

async function readSource(source: string | Uint8Array | FaceShapeModel): Promise<Uint8Array> {
  if (typeof source === 'string') return readFile(source);
  if (source instanceof Uint8Array) return source;
  // Only here: a file needs no TensorFlow.js.
  const { exportOnnx } = await import('./export-onnx.ts');
  return exportOnnx(source, { volume: true });
}
