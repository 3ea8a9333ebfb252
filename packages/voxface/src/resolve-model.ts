import { existsSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Predictor, PredictorOptions } from '@voxface/predict';
import { listPretrained, PRETRAINED_DEFAULT, pretrainedUrl } from '@voxface/pretrained';
import { UsageError } from './errors.ts';

/** A predictor ready to run, and what to call it in results. */
export interface ResolvedModel {
  readonly name: string;
  readonly backend: string;
  readonly predictor: Predictor;
}

export interface ResolveModelOptions extends PredictorOptions {
  /** `auto` takes ONNX Runtime where it is installed; otherwise a TensorFlow.js backend. Ignored for `.onnx` files. */
  backend?: string;
}

/**
 * Turns `NAME | DIR | FILE.onnx` into a predictor: a pretrained model by name, a folder written by `saveModel`
 * (or a training run, whose best weights are taken), or an exported ONNX file.
 * @throws UsageError when there is no such model.
 */
export async function resolveModel(
  model: string = PRETRAINED_DEFAULT,
  options: ResolveModelOptions = {},
): Promise<ResolvedModel> {
  const { backend = 'auto', ...predictorOptions } = options;
  if (extname(model) === '.onnx') return openOnnx(model, predictorOptions);
  const directory = findModelDirectory(model);
  const { chooseBackend } = await import('./choose-backend.ts');
  const info = await chooseBackend(backend === 'onnx' ? 'auto' : backend);
  const [{ createPredictor }, { loadModel }] = await Promise.all([
    import('@voxface/models'),
    import('@voxface/models/node'),
  ]);
  const name = basename(model);
  const loaded = await loadModel(directory);
  if (backend === 'auto' || backend === 'onnx') {
    try {
      const { createOnnxPredictor } = await import('@voxface/onnx/node');
      const predictor = await createOnnxPredictor(loaded, predictorOptions);
      loaded.dispose();
      return { name, backend: 'onnxruntime-node', predictor };
    } catch (error) {
      if (backend === 'onnx') throw error;
    }
  }
  return { name, backend: info.name, predictor: createPredictor(loaded, predictorOptions) };
}

/** Folder of a saved model for a name or path. */
export function findModelDirectory(model: string): string {
  const directory = searchModelDirectory(model);
  if (directory !== undefined) return directory;
  const names = listPretrained().map(({ name }) => name);
  const found =
    existsSync(model) && statSync(model).isDirectory() ? `${model} holds no voxface.json` : `got ${model}`;
  throw new UsageError(
    `--model: expected a pretrained name (${names.join(', ')}), a saved model's folder or an .onnx file; ${found}`,
  );
}

/** The same, undefined when there is none. */
export function searchModelDirectory(model: string): string | undefined {
  if (existsSync(join(model, 'voxface.json'))) return model;
  if (existsSync(join(model, 'best', 'voxface.json'))) return join(model, 'best');
  return listPretrained().some(({ name }) => name === model)
    ? fileURLToPath(pretrainedUrl(model))
    : undefined;
}

async function openOnnx(file: string, options: PredictorOptions): Promise<ResolvedModel> {
  if (!existsSync(file)) throw new UsageError(`--model: no such file: ${file}`);
  const { createOnnxPredictor } = await import('@voxface/onnx/node');
  const predictor = await createOnnxPredictor(file, options);
  return { name: basename(file), backend: 'onnxruntime-node', predictor };
}
