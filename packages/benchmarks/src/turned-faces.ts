import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { setupBackend } from '@voxface/backend';
import { openPackedSet } from '@voxface/datasets/node';
import {
  type Box,
  boxOf,
  cropAffine,
  cropPixels,
  headRotation,
  type Landmarks,
  type Pixels,
  toPlane,
  transformLandmarks,
} from '@voxface/landmarks';
import { boxSize, nme } from '@voxface/metrics';
import { exportOnnx } from '@voxface/onnx/export';
import { createOnnxPredictor } from '@voxface/onnx/node';
import { type CropRunner, createCropPredictor, type PredictorOptions } from '@voxface/predict';
import {
  type BenchSection,
  type BenchSettings,
  type Candidate,
  openBenchModel,
  runRounds,
} from 'voxface/bench';
import { readFaces, type SampleFace } from './peers.ts';

/**
 * What a face costs from the picture to its landmarks by what is asked: confidences, the upright pass, quarter turns. On the same faces
 * as they are, and turned by 40 degrees.
 */
export async function benchPasses(settings: BenchSettings): Promise<BenchSection[]> {
  const faces = await readFaces();
  const model = settings.models[0];
  const loaded = await openBenchModel(model);
  const file = await exportOnnx(loaded);
  loaded.dispose();
  const sections: BenchSection[] = [];
  for (const [title, items, ways] of [
    [
      'upright faces',
      faces,
      {
        'one pass, no confidence': { confidence: false, upright: false },
        'one pass, confidence': { upright: false, quarterTurns: false },
        'no confidence, upright pass where turned': { confidence: false },
        'all that is on by default': {},
      },
    ],
    [
      'faces turned by 40 degrees',
      faces.map(turnFace),
      {
        'one pass, confidence': { upright: false, quarterTurns: false },
        'upright pass': { quarterTurns: false },
        'all that is on by default': {},
      },
    ],
  ] as [string, SampleFace[], Record<string, PredictorOptions>][]) {
    const candidates: Candidate[] = [];
    for (const [name, options] of Object.entries(ways)) {
      const predictor = await createOnnxPredictor(file, { ...options, threads: settings.threads });
      const run = async (): Promise<undefined> => void (await predictor.predictBatch(items));
      candidates.push({ name, run, close: () => predictor.dispose() });
    }
    const timings = await runRounds(candidates, settings.rounds, items.length);
    for (const candidate of candidates) await candidate.close();
    const notes = [
      `${items.length} faces in every run, batches of 8, ONNX Runtime, ${settings.threads} threads`,
    ];
    sections.push({ title: `Passes of \`${model}\`, ${title}`, unit: 'face', timings, notes });
  }
  return sections;
}

/** Limits of the upright pass that are compared, degrees. */
const LIMITS = [false, 10, 15, 20, 25, 30, 40] as const;
/** Bounds of how far heads lie turned, degrees. */
const TURNS = [0, 10, 15, 20, 25, 30, 40, 180];

/**
 * How many crops a face takes, and its error, by the limit of the upright pass: on sets of crops that `voxface data` wrote (`--faces`, separated
 * by commas), which the model must not have been trained on. Then the error of faces by how far they lie turned, with and without the pass.
 */
export async function benchLooks(settings: BenchSettings): Promise<BenchSection[]> {
  await setupBackend('cpu');
  const model = settings.models[0];
  const loaded = await openBenchModel(model);
  const onnx = await createOnnxPredictor(await exportOnnx(loaded), {
    confidence: false,
    threads: settings.threads,
  });
  const { info } = onnx;
  let looks = 0;
  // The same crops come again at every limit.
  const known = new Map<string, { points: readonly number[]; volume: Float32Array }>();
  const look = async (crops: readonly Uint8Array[]) => {
    looks += crops.length;
    const keys = crops.map((crop) => createHash('sha1').update(crop).digest('hex'));
    const fresh = crops.filter((_, i) => !known.has(keys[i]));
    const shapes = await onnx.predictUnit(fresh);
    const volumes = await onnx.estimateVolumes(fresh);
    const freshKeys = keys.filter((key) => !known.has(key));
    for (const [i, key] of freshKeys.entries()) {
      known.set(key, { points: [...shapes[i].points], volume: volumes[i] });
    }
    const all = keys.map((key) => known.get(key)!);
    const size = all[0].volume.length;
    const joined = new Float32Array(all.length * size);
    for (const [i, { volume }] of all.entries()) joined.set(volume, i * size);
    return { points: all.flatMap(({ points }) => points), volumes: joined };
  };
  const runner: CropRunner = {
    ...info,
    run: async (crops) => (await look(crops)).points,
    confidence: { calibration: info.confidence!, size: info.volume!, run: look },
  };
  const sections: BenchSection[] = [];
  for (const root of settings.flags.faces?.split(',') ?? []) {
    const dataset = await openPackedSet(root);
    const step = Math.ceil(dataset.length / settings.count);
    const count = Math.ceil(dataset.length / step);
    const turns: number[] = [];
    const errors = LIMITS.map((): number[] => []);
    const crops = LIMITS.map(() => 0);
    for (let i = 0; i < dataset.length; i += step) {
      const { image, box, landmarks } = await dataset.load(i);
      known.clear();
      const truth = landmarks as Landmarks<3>;
      turns.push(turnOf(truth));
      for (const [k, upright] of LIMITS.entries()) {
        looks = 0;
        const [face] = await createCropPredictor(runner, { upright }).predictBatch([{ image, box }]);
        crops[k] += looks;
        errors[k].push(errorOf(face.landmarks, truth));
      }
    }
    const mean = (values: readonly number[]): string =>
      values.length === 0 ? '-' : (values.reduce((a, b) => a + b, 0) / values.length).toFixed(3);
    const rows = LIMITS.map((limit, k) => [
      limit === false ? 'never' : `over ${limit} degrees`,
      (crops[k] / count).toFixed(3),
      mean(errors[k]),
    ]);
    const bins = TURNS.slice(1).map((to, k) => {
      const own = turns.flatMap((turn, i) => (turn >= TURNS[k] && turn < to ? [i] : []));
      const of = (column: number): string => mean(own.map((i) => errors[column][i]));
      return [`${TURNS[k]} to ${to}`, String(own.length), of(0), of(1)];
    });
    const title = `${basename(root)}, ${count} faces`;
    sections.push(
      {
        title: `Crops per face of \`${model}\`, ${title}`,
        rows: [['upright pass', 'crops', 'NME, %'], ...rows],
        notes: [],
      },
      {
        title: `Faces by their turn, ${title}`,
        rows: [
          ['degrees', 'faces', 'NME in one pass, %', 'with the upright pass from 10 degrees on, %'],
          ...bins,
        ],
        notes: ['NME by the square root of the box, in the plane'],
      },
    );
  }
  loaded.dispose();
  onnx.dispose();
  return sections;
}

/** Angles by which faces are turned in the picture's plane, degrees. */
const ANGLES = [0, 30, 45, 60, 90, 120, 150, 180];
/** Percent of the square root of the box; worse is no face. */
const GARBAGE = 10;

/**
 * Errors of faces that were turned in the picture's plane, with the tight box of their true landmarks and all defaults, by the angle: a model
 * for which turning costs nothing has one row all the way. On sets of crops, as `benchLooks`.
 */
export async function benchTurned(settings: BenchSettings): Promise<BenchSection[]> {
  await setupBackend('cpu');
  const model = settings.models[0];
  const loaded = await openBenchModel(model);
  const predictor = await createOnnxPredictor(await exportOnnx(loaded), {
    flip: true,
    threads: settings.threads,
  });
  loaded.dispose();
  const sections: BenchSection[] = [];
  for (const root of settings.flags.faces?.split(',') ?? []) {
    const dataset = await openPackedSet(root);
    const step = Math.ceil(dataset.length / settings.count);
    const rows: string[][] = [];
    for (const angle of ANGLES) {
      const items: { image: Pixels; box: Box; truth: Landmarks<3> }[] = [];
      for (let i = 0; i < dataset.length; i += step) {
        const { image, landmarks } = await dataset.load(i);
        // To both sides in turn.
        items.push(turnBy(image, landmarks as Landmarks<3>, items.length % 2 === 0 ? angle : -angle));
      }
      const faces = await predictor.predictBatch(items);
      const errors = faces.map((face, i) => errorOf(face.landmarks, items[i].truth)).sort((a, b) => a - b);
      const mean = errors.reduce((a, b) => a + b, 0) / errors.length;
      rows.push([
        String(angle),
        mean.toFixed(2),
        errors[errors.length >> 1].toFixed(2),
        String(errors.filter((error) => error > GARBAGE).length),
      ]);
    }
    sections.push({
      title: `Turned faces of ${basename(root)}, \`${model}\`, ${Math.ceil(dataset.length / step)} faces`,
      rows: [['degrees', 'NME, %', 'median', `above ${GARBAGE} %`], ...rows],
      notes: ['NME by the square root of the box of the turned face, in the plane, with `flip`'],
    });
  }
  predictor.dispose();
  return sections;
}

/** The surroundings of a face, turned about its centre, and where its landmarks lie then. */
function turnBy(
  image: Pixels,
  landmarks: Landmarks<3>,
  rotation: number,
): { image: Pixels; box: Box; truth: Landmarks<3> } {
  const side = 256;
  const affine = cropAffine(boxOf(landmarks), { rotation, scale: 1.7 });
  const unit = transformLandmarks(landmarks, affine);
  const points = unit.points.map((value, k) => (k % 3 === 2 ? value * side : value * side - 0.5));
  const truth: Landmarks<3> = { points, dims: 3 };
  const data = cropPixels(image, affine, side);
  return { image: { data, width: side, height: side, channels: 3 }, box: boxOf(truth), truth };
}

/** How far the head lies turned in the picture's plane, 0..180 degrees. */
function turnOf(landmarks: Landmarks<3>): number {
  const [, x, , , y] = headRotation(landmarks);
  return (Math.abs(Math.atan2(-x, y)) * 180) / Math.PI;
}

/** Percent of the square root of the box, in the plane. */
function errorOf(preds: Landmarks<3>, target: Landmarks<3>): number {
  return 100 * nme(toPlane(preds), toPlane(target), { normalizer: boxSize });
}

/** The surroundings of a face, turned about its centre. */
function turnFace({ image, box }: SampleFace): SampleFace {
  const side = 512;
  const scale = 2.5;
  const data = cropPixels(image, cropAffine(box, { rotation: 40, scale }), side);
  const edge = side / scale;
  const start = (side - edge) / 2 - 0.5;
  return {
    image: { data, width: side, height: side, channels: 3 },
    box: { x: start, y: start, width: edge, height: edge },
  };
}
