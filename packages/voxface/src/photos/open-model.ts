import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BackendInfo, BackendName } from '@voxface/backend';
import type { ExportableModel } from '@voxface/onnx/node';
import type { DetectorOptions, FaceDetector, Predictor, PredictorOptions } from '@voxface/predict';
import {
  listPretrained,
  PRETRAINED_DEFAULT,
  type PretrainedDetector,
  pretrainedDetectorUrl,
  pretrainedOnnxUrl,
  pretrainedUrl,
} from '@voxface/pretrained';
import { UsageError } from '../options.ts';
import { type OnnxRuntime, openOnnxRuntime } from './onnx-runtime.ts';

/** A predictor ready to run, and what to call it in results. */
export interface OpenedModel {
  readonly name: string;
  readonly backend: string;
  readonly predictor: Predictor;
}

export interface OpenModelOptions extends PredictorOptions {
  /** `auto` and `onnx` take ONNX Runtime; any other name is a TensorFlow.js backend. Ignored for `.onnx` files. */
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
  if (usesOnnx(model, backend)) {
    const { name, file } = await readModelFile(model);
    const runtime = await openOnnxRuntime();
    const predictor = await runtime.createPredictor(file, predictorOptions, null);
    return { name, backend: runtime.name, predictor };
  }
  const folder = findModelFolder(model);
  const info = await chooseBackend(backend);
  const [{ createPredictor }, { loadModel }] = await Promise.all([
    import('@voxface/models'),
    import('@voxface/models/node'),
  ]);
  const loaded = await loadModel(folder);
  return { name: basename(model), backend: info.name, predictor: createPredictor(loaded, predictorOptions) };
}

/** Whether a model runs on ONNX Runtime. */
export function usesOnnx(model: unknown, backend: string): boolean {
  const isFile = typeof model === 'string' && extname(model) === '.onnx';
  return isFile || backend === 'auto' || backend === 'onnx';
}

/**
 * A model as an ONNX file. Only a saved folder and a model in memory need TensorFlow.js, which exports them.
 * @throws UsageError when there is no such model.
 */
export async function readModelFile(
  model: string | Uint8Array | ExportableModel,
): Promise<{ name: string; file: Uint8Array }> {
  if (model instanceof Uint8Array) return { name: 'model', file: model };
  if (typeof model !== 'string') return { name: 'model', file: await exportModel(model) };
  const name = basename(model);
  if (extname(model) === '.onnx') {
    if (!existsSync(model)) throw new UsageError(`--model: no such file: ${model}`);
    return { name, file: await readFile(model) };
  }
  const folder = findModelFolder(model);
  if (folder === pretrainedFolder(model) && existsSync(pretrainedOnnxUrl(model))) {
    return { name, file: await readFile(pretrainedOnnxUrl(model)) };
  }
  await chooseBackend('cpu');
  const { loadModel } = await import('@voxface/models/node');
  const loaded = await loadModel(folder);
  const file = await exportModel(loaded);
  loaded.dispose();
  return { name, file };
}

async function exportModel(model: ExportableModel): Promise<Uint8Array> {
  const { exportOnnx } = await import('@voxface/onnx/export');
  return exportOnnx(model as Parameters<typeof exportOnnx>[0]);
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
  return pretrainedFolder(model);
}

function pretrainedFolder(model: string): string | undefined {
  const isPretrained = listPretrained().some(({ name }) => name === model);
  return isPretrained ? fileURLToPath(pretrainedUrl(model)) : undefined;
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
  ]).catch(missingTensorflow);
  enableProdMode();
  return setupBackend(name as BackendName);
}

function missingTensorflow(cause: unknown): never {
  throw new UsageError(
    '--backend, training and saved folders need TensorFlow.js, which is not installed: npm i @voxface/train @tensorflow/tfjs-core @tensorflow/tfjs-layers',
    { cause },
  );
}

export const DETECTORS: readonly PretrainedDetector[] = ['ssd', 'tiny'];

/**
 * Reads the ONNX file of a face detector.
 * @throws UsageError for an unknown name.
 */
export async function readDetectorFile(name: string): Promise<Uint8Array> {
  if (!(DETECTORS as readonly string[]).includes(name)) {
    throw new UsageError(`--detector: expected one of ${DETECTORS.join(', ')}, got ${name}`);
  }
  return readFile(pretrainedDetectorUrl(name as PretrainedDetector));
}

/**
 * Opens a face detector by name on ONNX Runtime.
 * @throws UsageError for an unknown name.
 */
export async function openDetector(
  name: string,
  options: DetectorOptions = {},
  runtime?: OnnxRuntime,
): Promise<FaceDetector> {
  const file = await readDetectorFile(name);
  return (runtime ?? (await openOnnxRuntime())).createDetector(file, options, null);
}
