import { readFile } from 'node:fs/promises';
import type { Sample } from '@voxface/datasets';
import { type Box, boxOf, createLandmarks, type Landmarks } from '@voxface/landmarks';
import { UsageError } from './errors.ts';
import { meanFaceInBox } from './mean-face-in-box.ts';
import { openDetector } from './open-detector.ts';
import { resolveModel } from './resolve-model.ts';
import type { EvaluateFlags } from './run-evaluation.ts';

/** Where landmarks to be scored come from. */
export interface PredictionSource {
  readonly name: string;
  /** Landmarks in image pixels; null when no face was found. */
  predict(sample: Sample): Promise<Landmarks | null>;
  dispose(): void;
}

/** Opens the model, the file of predictions or the mean face that the flags name. */
export async function openPredictionSource(flags: EvaluateFlags): Promise<PredictionSource> {
  if (flags.predictions !== undefined) return readPredictions(flags.predictions);
  if (flags.meanShape) {
    return {
      name: 'mean face',
      predict: async ({ landmarks }) => meanFaceInBox(boxOf(landmarks)),
      dispose: () => {},
    };
  }
  const { name, predictor } = await resolveModel(flags.model, { backend: flags.backend, flip: flags.flip });
  const detector = flags.detector === undefined ? undefined : await openDetector(flags.detector);
  return {
    name: `${name}${flags.flip ? ' + flip' : ''}${flags.detector ? `, ${flags.detector} boxes` : ''}`,
    async predict(sample) {
      const truth = boxOf(sample.landmarks);
      const box = detector
        ? mostOverlapping(
            (await detector.detect(sample.image)).map((f) => f.box),
            truth,
          )
        : truth;
      return box === undefined ? null : (await predictor.predict(sample.image, box)).landmarks;
    },
    dispose() {
      predictor.dispose();
      detector?.dispose();
    },
  };
}

/** The detected box that shares most with the truth; none when they share nothing: the face was missed. */
export function mostOverlapping(boxes: readonly Box[], truth: Box): Box | undefined {
  const scored = boxes
    .map((box) => ({ box, overlap: overlapOf(box, truth) }))
    .filter(({ overlap }) => overlap > 0);
  scored.sort((a, b) => b.overlap - a.overlap);
  return scored[0]?.box;
}

/** Intersection over union. */
function overlapOf(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

async function readPredictions(file: string): Promise<PredictionSource> {
  let rows: Record<string, number[][]>;
  try {
    rows = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`--predictions: ${file} is not readable JSON (${(error as Error).message})`);
  }
  return {
    name: file,
    async predict({ id }) {
      const points = rows[id];
      if (points === undefined) return null;
      return createLandmarks(points.flat(), points[0].length as 2 | 3);
    },
    dispose: () => {},
  };
}
