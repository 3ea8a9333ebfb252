import { rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setBackend } from '@tensorflow/tfjs-core';
import {
  createFaceShapeModel,
  createPredictor,
  type FaceShapeModel,
  PRESETS,
  type PresetName,
} from '@voxface/models';
import { loadModel } from '@voxface/models/node';
import { exportOnnx } from '@voxface/onnx';
import { createOnnxPredictor } from '@voxface/onnx/node';
import { listPretrained } from '@voxface/pretrained';
import { chooseBackend } from './choose-backend.ts';
import { findModelDirectory } from './resolve-model.ts';

/** One model on one backend. */
export interface Contestant {
  readonly name: string;
  readonly inputSize: number;
  run(crops: readonly Uint8Array[]): Promise<unknown>;
  dispose(): void;
}

/** Opens every model on every backend; `onnx` exports the model to a temporary file first. */
export async function openContestants(
  models: readonly string[],
  backends: readonly string[],
): Promise<Contestant[]> {
  const contestants: Contestant[] = [];
  for (const model of models) {
    for (const backend of backends) {
      const name = `${model}, ${backend}`;
      contestants.push(
        backend === 'onnx' ? await openOnnx(model, name) : await openNative(model, backend, name),
      );
    }
  }
  return contestants;
}

/** A saved or pretrained model, or a preset with fresh weights where no such model is saved. */
async function openModel(model: string): Promise<FaceShapeModel> {
  const isPreset = Object.hasOwn(PRESETS, model) && !listPretrained().some(({ name }) => name === model);
  return isPreset ? createFaceShapeModel(model as PresetName) : loadModel(findModelDirectory(model));
}

async function openNative(model: string, backend: string, name: string): Promise<Contestant> {
  const info = await chooseBackend(backend);
  const loaded = await openModel(model);
  const predictor = createPredictor(loaded);
  return {
    name,
    inputSize: predictor.inputSize,
    async run(crops) {
      await setBackend(info.name);
      return predictor.predictUnit(crops);
    },
    dispose() {
      predictor.dispose();
      loaded.dispose();
    },
  };
}

async function openOnnx(model: string, name: string): Promise<Contestant> {
  await chooseBackend('cpu');
  const loaded = await openModel(model);
  const file = join(tmpdir(), `voxface-bench-${process.pid}.onnx`);
  await writeFile(file, await exportOnnx(loaded, { volume: false }));
  loaded.dispose();
  const predictor = await createOnnxPredictor(file);
  await rm(file);
  return {
    name,
    inputSize: predictor.inputSize,
    run: (crops) => predictor.predictUnit(crops),
    dispose: () => predictor.dispose(),
  };
}
