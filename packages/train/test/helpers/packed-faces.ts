import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dataset } from '@voxface/datasets';
import { writePackedSet } from '@voxface/datasets/node';
import { boxOf, createRandom, type LandmarkScheme, type Landmarks } from '@voxface/landmarks';
import type { TrainingConfigInput } from '../../src/config.ts';
import { MICRO } from './tiny-run.ts';

const SCHEME: LandmarkScheme = {
  name: 'five',
  count: 5,
  names: ['left eye', 'right eye', 'nose', 'left mouth', 'right mouth'],
  mirrorPairs: [
    [0, 1],
    [3, 4],
  ],
  outerEyeCorners: [0, 1],
  groups: {},
};

/** Bright dots on noise, each landmark a dot: a task that networks can learn. */
export function dotFaces<D extends 2 | 3>(count: number, dims: D, seed: number): Dataset<D> {
  const side = 24;
  const ids = Array.from({ length: count }, (_, i) => `${dims}d-${seed}-${i}`);
  const annotate = async (index: number) => {
    const random = createRandom(seed * 1000 + index);
    const points = Float32Array.from({ length: 5 * dims }, (_, k) =>
      k % dims === 2 ? random.uniform(-4, 4) : random.uniform(4, side - 5),
    );
    const landmarks: Landmarks<D> = { points, dims };
    const provenance = { dataset: 'dots', files: [], conversions: [] };
    return { id: ids[index], landmarks, scheme: SCHEME, box: boxOf(landmarks), provenance };
  };
  return {
    name: `dots-${dims}d-${seed}`,
    scheme: SCHEME,
    dims,
    length: count,
    ids,
    annotate,
    async load(index) {
      const annotation = await annotate(index);
      const random = createRandom(seed + index);
      const data = Uint8Array.from({ length: side * side * 3 }, () => random.integer(60));
      const { points } = annotation.landmarks;
      for (let n = 0; n < 5; n++) {
        const at = Math.round(points[n * dims + 1]) * side + Math.round(points[n * dims]);
        data.fill(255, at * 3, at * 3 + 3);
      }
      return { ...annotation, image: { data, width: side, height: side, channels: 3 } };
    },
  };
}

/** Writes small packed sets (3D and 2D) into a temporary folder and returns a configuration that trains on them. */
export async function microConfig(
  overrides: Partial<TrainingConfigInput> = {},
): Promise<TrainingConfigInput> {
  const folder = await mkdtemp(join(tmpdir(), 'voxface-train-'));
  await writePackedSet(join(folder, 'dots3d'), dotFaces(10, 3, 1));
  await writePackedSet(join(folder, 'dots2d'), dotFaces(10, 2, 2));
  return {
    name: 'micro',
    output: join(folder, 'run'),
    backend: 'cpu',
    model: { ...MICRO, scheme: 'five' },
    data: {
      train3d: [{ format: 'packed', root: join(folder, 'dots3d') }],
      train2d: [{ format: 'packed', root: join(folder, 'dots2d') }],
      validation: [{ format: 'packed', root: join(folder, 'dots3d'), limit: 4 }],
    },
    batchSize: 4,
    decoders: 0,
    learningRate: { initial: 1e-3 },
    stages: [
      { kind: 'pretrain', steps: 3 },
      { kind: 'adversarial', steps: 3 },
    ],
    logEvery: 1,
    evaluateEvery: 3,
    checkpointEvery: 2,
    ...overrides,
  };
}

/** Losses by step of a run's log, and how often each step was logged. */
export async function readLosses(output: string): Promise<Record<string, number>[]> {
  const lines = (await readFile(join(output, 'log.jsonl'), 'utf8')).trim().split('\n');
  return lines
    .map((line) => JSON.parse(line))
    .filter((record) => record.type === 'step')
    .map(({ step, losses, mu }) => ({ step, ...losses, ...(mu !== undefined && { mu }) }));
}
