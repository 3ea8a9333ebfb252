import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Annotation, Sample } from '@voxface/datasets';
import {
  type Box,
  boxOf,
  boxOverlap,
  createLandmarks,
  type Landmarks,
  meanFaceInBox,
} from '@voxface/landmarks';
import type { DetectedFace } from '@voxface/predict';
import { UsageError } from '../options.ts';
import { openDetector, openModel } from '../photos/open-model.ts';

/** Which systems are scored, as flags of `voxface evaluate`. */
export interface SourceFlags {
  model?: readonly string[];
  predictions?: readonly string[];
  meanShape?: boolean;
  detector?: string;
  flip?: boolean;
  crops?: number;
  backend?: string;
}

/** What a system says of a face. */
export interface Prediction {
  /** In image pixels. */
  readonly landmarks: Landmarks;
  /** How sure the model is of them, 0..1, where it says so. */
  readonly confidence?: number;
}

/** Where landmarks to be scored come from. */
export interface PredictionSource {
  readonly name: string;
  /** Whether it needs the pictures: samples come without them otherwise. */
  readonly looks: boolean;
  /** Null when no face was found. */
  predict(sample: Annotation | Sample): Promise<Prediction | null>;
  dispose(): void;
}

/**
 * Opens the models, files of predictions and the mean face that the flags name, each as `NAME=WHAT` or alone; the default model
 * where they name nothing.
 * @throws UsageError when two have one name.
 */
export async function openPredictionSources(flags: SourceFlags): Promise<PredictionSource[]> {
  const { model = [], predictions = [], meanShape } = flags;
  const nothing = model.length === 0 && predictions.length === 0 && !meanShape;
  const sources: PredictionSource[] = [];
  for (const text of nothing ? [undefined] : model) sources.push(await openModelSource(text, flags));
  for (const text of predictions) sources.push(await readPredictions(text));
  if (meanShape) sources.push(meanFace);
  const names = sources.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) {
    for (const source of sources) source.dispose();
    throw new UsageError(
      `evaluate: every system needs a name of its own, got two called ${twice} (give NAME=FILE)`,
    );
  }
  return sources;
}

const meanFace: PredictionSource = {
  name: 'mean face',
  looks: false,
  predict: async (sample) => ({ landmarks: meanFaceInBox(truthBox(sample)) }),
  dispose: () => {},
};

/** `NAME=WHAT`; a file whose own name has a `=` is taken as it is. */
function splitName(text: string): [name: string | undefined, what: string] {
  const at = text.indexOf('=');
  return at < 1 || existsSync(text) ? [undefined, text] : [text.slice(0, at), text.slice(at + 1)];
}

async function openModelSource(text: string | undefined, flags: SourceFlags): Promise<PredictionSource> {
  const [given, what] = text === undefined ? [undefined, undefined] : splitName(text);
  const { backend, flip, crops = 1 } = flags;
  const { name, predictor } = await openModel(what, { backend, flip, crops });
  const detector = flags.detector === undefined ? undefined : await openDetector(flags.detector);
  return {
    name:
      given ??
      `${name}${flip ? ' + flip' : ''}${crops > 1 ? ` + ${crops} crops` : ''}${flags.detector ? `, ${flags.detector} boxes` : ''}`,
    looks: true,
    async predict(sample) {
      const { image } = sample as Sample;
      const truth = truthBox(sample);
      const face = detector ? mostOverlapping(await detector.detect(image), truth) : { box: truth };
      return face === undefined ? null : (await predictor.predictBatch([{ image, ...face }]))[0];
    },
    dispose() {
      predictor.dispose();
      detector?.dispose();
    },
  };
}

/** The box of all true landmarks. */
export function truthBox({ scheme, landmarks, box }: Annotation): Box {
  return scheme.count === 21 ? box : boxOf(landmarks);
}

/**
 * The detected face whose box shares most with the truth, turn and all; none when they share nothing: the face was missed. Exported for
 * its test.
 */
export function mostOverlapping(faces: readonly DetectedFace[], truth: Box): DetectedFace | undefined {
  const scored = faces
    .map((face) => ({ face, overlap: boxOverlap(face.box, truth) }))
    .filter(({ overlap }) => overlap > 0);
  scored.sort((a, b) => b.overlap - a.overlap);
  return scored[0]?.face;
}

async function readPredictions(text: string): Promise<PredictionSource> {
  const [name, file] = splitName(text);
  let rows: Record<string, number[][]>;
  try {
    rows = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--predictions: ${file} is not readable JSON (${(error as Error).message})`);
  }
  return {
    name: name ?? file,
    looks: false,
    async predict({ id }) {
      const points = rows[id];
      if (points === undefined) return null;
      return { landmarks: createLandmarks(points.flat(), points[0].length as 2 | 3) };
    },
    dispose: () => {},
  };
}
