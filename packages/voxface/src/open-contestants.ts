import { setBackend } from '@tensorflow/tfjs-core';
import { createRandom } from '@voxface/landmarks';
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
import type { Predictor } from '@voxface/predict';
import { listPretrained } from '@voxface/pretrained';
import { whyNoTorch } from './bench/repository.ts';
import type { Contestant } from './bench/rounds.ts';
import { openTorch } from './bench/torch-contestant.ts';
import { chooseBackend } from './choose-backend.ts';
import { describeError } from './errors.ts';
import { findModelDirectory } from './resolve-model.ts';

export interface ContestantSettings {
  /** Of `onnx`, `torch`, `torch-frozen`, and the TensorFlow.js backends. */
  readonly backends: readonly string[];
  readonly batch: number;
  /** Threads of ONNX Runtime and PyTorch. */
  readonly threads: number;
  readonly python: string;
  /** Crops to run on, by their side; random bytes when left out. */
  readonly cropsOf?: (size: number) => readonly Uint8Array[];
}

/** One model on every backend that is there; `skipped` says in words which are not. */
export async function openContestants(
  model: string,
  settings: ContestantSettings,
): Promise<{ contestants: Contestant[]; skipped: string[] }> {
  const contestants: Contestant[] = [];
  const skipped: string[] = [];
  for (const backend of settings.backends) {
    try {
      const why = backend.startsWith('torch') ? await whyNoTorch(settings.python) : undefined;
      if (why === undefined) contestants.push(await open(model, backend, settings));
      else skipped.push(why);
    } catch (error) {
      skipped.push(`${backend}: skipped, ${describeError(error)}`);
    }
  }
  return { contestants, skipped };
}

async function open(model: string, backend: string, settings: ContestantSettings): Promise<Contestant> {
  const { batch, threads } = settings;
  const plural = threads === 1 ? '1 thread' : `${threads} threads`;
  if (backend.startsWith('torch')) {
    await chooseBackend('cpu');
    const { options, dispose } = await openModel(model);
    dispose();
    const freeze = backend === 'torch-frozen';
    const name = `${model}, PyTorch${freeze ? ' (frozen)' : ''}, ${plural}`;
    return openTorch(name, settings.python, options, { batch, threads, freeze });
  }
  if (backend === 'onnx') {
    await chooseBackend('cpu');
    const loaded = await openModel(model);
    const file = await exportOnnx(loaded, { volume: false });
    loaded.dispose();
    const predictor = await createOnnxPredictor(file, { threads, batchSize: batch });
    return contestantOf(`${model}, ONNX Runtime, ${plural}`, predictor, settings);
  }
  const info = await chooseBackend(backend);
  const loaded = await openModel(model);
  const predictor = createPredictor(loaded, { batchSize: batch });
  const contestant = contestantOf(`${model}, ${info.name}`, predictor, settings);
  return {
    ...contestant,
    async run() {
      await setBackend(info.name);
      return contestant.run();
    },
    close() {
      contestant.close();
      loaded.dispose();
    },
  };
}

function contestantOf(name: string, predictor: Predictor, settings: ContestantSettings): Contestant {
  const crops = (settings.cropsOf ?? ((size) => randomCrops(size, settings.batch)))(predictor.inputSize);
  return {
    name,
    async run() {
      await predictor.predictUnit(crops);
      return undefined;
    },
    close: () => predictor.dispose(),
  };
}

function randomCrops(size: number, count: number): Uint8Array[] {
  const random = createRandom(0);
  return Array.from({ length: count }, () =>
    Uint8Array.from({ length: size * size * 3 }, () => random.integer(256)),
  );
}

/** A saved or pretrained model, or a preset with fresh weights where no such model is saved. */
async function openModel(model: string): Promise<FaceShapeModel> {
  const isPreset = Object.hasOwn(PRESETS, model) && !listPretrained().some(({ name }) => name === model);
  return isPreset ? createFaceShapeModel(model as PresetName) : loadModel(findModelDirectory(model));
}
