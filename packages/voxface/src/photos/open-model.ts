import { existsSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BackendInfo, BackendName } from '@voxface/backend';
import type { FaceDetector, Predictor, PredictorOptions } from '@voxface/predict';
import { listPretrained, PRETRAINED_DEFAULT, pretrainedUrl } from '@voxface/pretrained';
import { UsageError } from '../options.ts';

/** A predictor ready to run, and what to call it in results. */
export interface OpenedModel {
  readonly name: string;
  readonly backend: string;
  readonly predictor: Predictor;
}

export interface OpenModelOptions extends PredictorOptions {
  /** `auto` takes ONNX Runtime where it is installed, otherwise a TensorFlow.js backend. Ignored for `.onnx` files. */
  backend?: string;
}

/**
 * Turns `NAME | DIR | FILE.onnx` into a predictor: a pretrained model by name, a folder written by `saveModel`
 * (or a training run, whose best weights are taken), or an exported ONNX file.
 * @throws UsageError when there is no such model.
 */
export async function openModel(
  model: string = PRETRAINED_DEFAULT,
  options: OpenModelOptions = {},
): Promise<OpenedModel> {
  const { backend = 'auto', ...predictorOptions } = options;
  if (extname(model) === '.onnx') return openOnnx(model, predictorOptions);
  const folder = findModelFolder(model);
  const info = await chooseBackend(backend === 'onnx' ? 'auto' : backend);
  const [{ createPredictor }, { loadModel }] = await Promise.all([
    import('@voxface/models'),
    import('@voxface/models/node'),
  ]);
  const name = basename(model);
  const loaded = await loadModel(folder);
  if (backend === 'auto' || backend === 'onnx') {
    try {
      const { exportOnnx } = await import('@voxface/onnx/export');
      const { createOnnxPredictor } = await import('@voxface/onnx/node');
      const predictor = await createOnnxPredictor(await exportOnnx(loaded), predictorOptions);
      loaded.dispose();
      return { name, backend: 'onnxruntime-node', predictor };
    } catch (error) {
      if (backend === 'onnx') throw error;
    }
  }
  return { name, backend: info.name, predictor: createPredictor(loaded, predictorOptions) };
}

async function openOnnx(file: string, options: PredictorOptions): Promise<OpenedModel> {
  if (!existsSync(file)) throw new UsageError(`--model: no such file: ${file}`);
  const { createOnnxPredictor } = await import('@voxface/onnx/node');
  const predictor = await createOnnxPredictor(file, options);
  return { name: basename(file), backend: 'onnxruntime-node', predictor };
}

/**
 * Folder of a saved model for a name or path.
 * @throws UsageError when there is none.
 */
export function findModelFolder(model: string): string {
  const folder = searchModelFolder(model);
  if (folder !== undefined) return folder;
  const names = listPretrained().map(({ name }) => name);
  const found =
    existsSync(model) && statSync(model).isDirectory() ? `${model} holds no voxface.json` : `got ${model}`;
  throw new UsageError(
    `--model: expected a pretrained name (${names.join(', ')}), a saved model's folder or an .onnx file; ${found}`,
  );
}

/** The same, undefined when there is none. */
export function searchModelFolder(model: string): string | undefined {
  if (existsSync(join(model, 'voxface.json'))) return model;
  if (existsSync(join(model, 'best', 'voxface.json'))) return join(model, 'best');
  return listPretrained().some(({ name }) => name === model)
    ? fileURLToPath(pretrainedUrl(model))
    : undefined;
}

export const NODE_BACKENDS: readonly string[] = ['auto', 'cpu', 'wasm', 'webgpu', 'node', 'node-gpu'];

/**
 * Prepares a TensorFlow.js backend by name.
 * @throws UsageError for a name that does not exist in Node.
 */
export async function chooseBackend(name: string): Promise<BackendInfo> {
  if (!NODE_BACKENDS.includes(name)) {
    throw new UsageError(
      `--backend: expected one of ${NODE_BACKENDS.join(', ')} (localize and evaluate: also onnx), got ${name}`,
    );
  }
  const [{ enableProdMode }, { setupBackend }] = await Promise.all([
    import('@tensorflow/tfjs-core'),
    import('@voxface/backend'),
  ]);
  enableProdMode();
  return setupBackend(name as BackendName);
}

export const DETECTORS = ['ssd', 'tiny'] as const;
export type DetectorName = (typeof DETECTORS)[number];

/** @throws UsageError for an unknown name. */
export function parseDetector(name: string): DetectorName {
  if (!(DETECTORS as readonly string[]).includes(name)) {
    throw new UsageError(`--detector: expected one of ${DETECTORS.join(', ')}, got ${name}`);
  }
  return name as DetectorName;
}

/**
 * Opens a face detector by name; its weights come with the `@vladmandic/face-api` package.
 * @param backend `onnxruntime-node` runs it there; any other name means the current TensorFlow.js backend.
 * @throws UsageError for an unknown name.
 */
export async function openDetector(name: string, backend?: string): Promise<FaceDetector> {
  const network = parseDetector(name);
  if (backend === 'onnxruntime-node') {
    const { exportDetector } = await import('@voxface/onnx/export');
    const { createOnnxDetector } = await import('@voxface/onnx/node');
    return createOnnxDetector(await exportDetector({ network }));
  }
  const { createFaceApiDetector } = await import('@voxface/models/face-api');
  return createFaceApiDetector({ network });
}
