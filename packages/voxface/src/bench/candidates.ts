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
import { exportOnnx } from '@voxface/onnx/export';
import { createOnnxPredictor } from '@voxface/onnx/node';
import type { Predictor } from '@voxface/predict';
import { listPretrained } from '@voxface/pretrained';
import { describeError } from '../options.ts';
import { chooseBackend, findModelFolder } from '../photos/open-model.ts';
import type { BenchSection, BenchSettings } from './report.ts';
import { type Candidate, runRounds } from './rounds.ts';

export interface CandidateSettings {
  /** `onnx`, TensorFlow.js backends, and the names in `openers`. */
  readonly backends: readonly string[];
  readonly batch: number;
  /** Threads of native runtimes. */
  readonly threads: number;
  /** Crops to run on, by their side; random bytes if omitted. */
  readonly cropsOf?: (size: number) => readonly Uint8Array[];
  /** Opens backends of other frameworks, by name. */
  readonly openers?: Readonly<Record<string, CandidateOpener>>;
}

export type CandidateOpener = (model: string, settings: CandidateSettings) => Promise<Candidate>;

/** Every model on every backend from cropped bytes to landmarks, the first backend as the reference. */
export async function benchModels(
  settings: BenchSettings,
  openers: Readonly<Record<string, CandidateOpener>> = {},
): Promise<BenchSection[]> {
  const sections: BenchSection[] = [];
  for (const model of settings.models) {
    const { candidates, skipped } = await openCandidates(model, { ...settings, openers });
    const timings = await runRounds(candidates, settings.rounds, settings.batch);
    for (const candidate of candidates) await candidate.close();
    sections.push({
      title: `Model \`${model}\`, from cropped bytes to landmarks, batch ${settings.batch}`,
      unit: 'face',
      timings,
      notes: skipped,
    });
  }
  return sections;
}

/** One model on every available backend; `skipped` says why the others are missing. */
export async function openCandidates(
  model: string,
  settings: CandidateSettings,
): Promise<{ candidates: Candidate[]; skipped: string[] }> {
  const candidates: Candidate[] = [];
  const skipped: string[] = [];
  for (const backend of settings.backends) {
    try {
      const opener = settings.openers?.[backend];
      candidates.push(await (opener ? opener(model, settings) : open(model, backend, settings)));
    } catch (error) {
      skipped.push(`${backend}: skipped, ${describeError(error)}`);
    }
  }
  return { candidates, skipped };
}

async function open(model: string, backend: string, settings: CandidateSettings): Promise<Candidate> {
  const { batch, threads } = settings;
  if (backend === 'onnx') {
    await chooseBackend('cpu');
    const loaded = await openBenchModel(model);
    const file = await exportOnnx(loaded, { volume: false });
    loaded.dispose();
    const predictor = await createOnnxPredictor(file, { threads, batchSize: batch });
    return candidateOf(`${model}, ONNX Runtime, ${countThreads(threads)}`, predictor, settings);
  }
  const info = await chooseBackend(backend);
  const loaded = await openBenchModel(model);
  const predictor = createPredictor(loaded, { batchSize: batch });
  const candidate = candidateOf(`${model}, ${info.name}`, predictor, settings);
  return {
    ...candidate,
    async run() {
      await setBackend(info.name);
      return candidate.run();
    },
    close() {
      candidate.close();
      loaded.dispose();
    },
  };
}

function candidateOf(name: string, predictor: Predictor, settings: CandidateSettings): Candidate {
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
export async function openBenchModel(model: string): Promise<FaceShapeModel> {
  const isPreset = Object.hasOwn(PRESETS, model) && !listPretrained().some(({ name }) => name === model);
  return isPreset ? createFaceShapeModel(model as PresetName) : loadModel(findModelFolder(model));
}

/** `1 thread`, `2 threads`. */
export function countThreads(threads: number): string {
  return threads === 1 ? '1 thread' : `${threads} threads`;
}
