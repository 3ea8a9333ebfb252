import { resolve } from 'node:path';
import { setupBackend } from '@voxface/backend';
import { openDataset } from '@voxface/datasets/node';
import { type Box, boxOf, boxOverlap, INNER_51_OF_68, type Landmarks, type Pixels } from '@voxface/landmarks';
import { exportDetector, exportOnnx } from '@voxface/onnx/export';
import { createOnnxDetector, createOnnxPredictor } from '@voxface/onnx/node';
import { type BenchSection, type BenchSettings, openBenchModel } from 'voxface/bench';
import { findWithFaceApi } from './face-api.ts';
import { findWithMediaPipe } from './media-pipe.ts';

/** [x, y] of each landmark in pixels. */
type Points = readonly (readonly [number, number])[];

/** A photo's faces as a library found them; of each the 51 inner points. */
type Found = readonly (readonly Points[])[];

interface Truth {
  /** [51] */
  readonly inner: Points;
  readonly box: Box;
  /** sqrt(width * height) of the box of all 68 points. */
  readonly size: number;
}

/**
 * Points of MediaPipe's mesh beside iBUG's 17..67, from https://github.com/PeizhiYan/Mediapipe_2_Dlib_Landmarks; two: their mean.
 * They are not defined alike, which is what the column without offsets is for.
 */
// biome-ignore format: as the points lie
const MESH_INNER_51: readonly (readonly number[])[] = [
  [71], [63], [105], [66], [107], [336], [296], [334], [293], [301],
  [168, 6], [197], [5], [4], [75], [97], [2], [326], [305],
  [33], [160], [158], [133], [153], [144], [362], [385], [387], [263], [373], [380],
  [61], [39], [37], [0], [267], [269], [291], [405], [314], [17], [84], [181],
  [78], [82], [13], [312], [308], [317], [14], [87],
];

/** The face found must share this much of its box with the true one. */
const SAME_FACE = 0.2;
const MOST_FACES = 4;

/**
 * Errors of the shipped model, face-api and MediaPipe on the same annotated photos, each with its own detector: NME of the inner 51 points by
 * the square root of the box of all 68, over the faces that all of them found.
 *
 * Each library has its own idea of where a point lies (MediaPipe's mesh most of all), so a second column takes away each point's mean offset, learnt
 * on the even faces for the odd ones and the other way round.
 */
export async function benchAccuracy(settings: BenchSettings): Promise<BenchSection[]> {
  const root = settings.photos;
  if (root === undefined) {
    return [
      {
        title: 'Errors on annotated photos',
        notes: ['skipped (--photos: a folder of photos with .pts files)'],
      },
    ];
  }
  const dataset = await openDataset(root, { kind: '300w' });
  const step = Math.ceil(dataset.length / settings.count);
  const indices = Array.from({ length: Math.ceil(dataset.length / step) }, (_, i) => i * step);
  const load = async (i: number): Promise<Pixels> => (await dataset.load(indices[i])).image;
  const truths: Truth[] = [];
  for (const index of indices) truths.push(truthOf((await dataset.load(index)).landmarks));

  const notes: string[] = [];
  const systems = new Map<string, Found>();
  const model = settings.models[0];
  systems.set(`voxface, \`${model}\``, await findWithVoxface(model, truths.length, load));
  const folder = settings.flags.peers ?? process.env.FACE_API_FOLDER;
  const peers = folder === undefined ? undefined : resolve(folder);
  for (const [name, find] of [
    ['face-api, its SSD and 68-point net', () => findWithFaceApi(peers, truths.length, load)],
    ['MediaPipe face mesh', () => findWithMediaPipe(peers, truths.length, load, MOST_FACES)],
  ] as const) {
    try {
      const found = await find();
      systems.set(
        name,
        found.map((faces) => faces.map((points) => innerOf(points))),
      );
    } catch (error) {
      notes.push((error as Error).message);
    }
  }
  return [{ title: `Errors on ${truths.length} photos of ${root}`, rows: compare(systems, truths), notes }];
}

/** A row for each system; exported for its test. */
export function compare(systems: ReadonlyMap<string, Found>, truths: readonly Truth[]): string[][] {
  const matched = [...systems].map(([name, found]) => ({
    name,
    faces: truths.map((truth, i) => nearest(found[i], truth)),
  }));
  const common = truths.flatMap((_, i) => (matched.every(({ faces }) => faces[i]) ? [i] : []));
  const rows = matched.map(({ name, faces }) => {
    const offsets = common.map((i) => offsetsOf(faces[i]!, truths[i]));
    return [
      name,
      `${faces.filter((face) => face !== undefined).length} of ${truths.length}`,
      percent(offsets.map(lengthOf)),
      percent(withoutMean(offsets).map(lengthOf)),
    ];
  });
  return [
    ['library', 'faces found', `NME of ${common.length} faces, %`, 'without mean offsets of points, %'],
    ...rows,
  ];
}

function truthOf(landmarks: Landmarks): Truth {
  const { points, dims } = landmarks;
  const box = boxOf(landmarks);
  const inner = INNER_51_OF_68.map((i): [number, number] => [points[dims * i], points[dims * i + 1]]);
  return { inner, box, size: Math.sqrt(box.width * box.height) };
}

function innerOf(points: Points): Points {
  if (points.length === 68) return INNER_51_OF_68.map((i) => points[i]);
  return MESH_INNER_51.map((parts) => {
    const sum = parts.reduce(([x, y], i) => [x + points[i][0], y + points[i][1]], [0, 0]);
    return [sum[0] / parts.length, sum[1] / parts.length];
  });
}

/** The face whose points' box overlaps most with that of the true inner points. */
function nearest(faces: readonly Points[], { inner }: Truth): Points | undefined {
  const box = boxAround(inner);
  const best = faces
    .map((points) => ({ points, overlap: boxOverlap(boxAround(points), box) }))
    .sort((a, b) => b.overlap - a.overlap)[0];
  return best !== undefined && best.overlap > SAME_FACE ? best.points : undefined;
}

function boxAround(points: Points): Box {
  return boxOf({ points: Float32Array.from(points.flat()), dims: 2 });
}

/** [51] differences by the face's size. */
function offsetsOf(points: Points, { inner, size }: Truth): Points {
  return points.map(([x, y], i) => [(x - inner[i][0]) / size, (y - inner[i][1]) / size]);
}

function lengthOf(offsets: Points): number {
  return mean(offsets.map(([x, y]) => Math.hypot(x, y)));
}

/** Less each point's mean over the half of the faces that this one is not of. */
function withoutMean(faces: readonly Points[]): Points[] {
  const means = [0, 1].map((half) => {
    const others = faces.filter((_, i) => i % 2 !== half);
    return faces[0].map((_, p) => [0, 1].map((axis) => mean(others.map((offsets) => offsets[p][axis]))));
  });
  return faces.map((offsets, i) =>
    offsets.map(([x, y], p) => [x - means[i % 2][p][0], y - means[i % 2][p][1]] as const),
  );
}

async function findWithVoxface(
  model: string,
  count: number,
  load: (index: number) => Promise<Pixels>,
): Promise<Found> {
  await setupBackend('cpu');
  const loaded = await openBenchModel(model);
  const predictor = await createOnnxPredictor(await exportOnnx(loaded));
  loaded.dispose();
  const detector = await createOnnxDetector(await exportDetector());
  const found: Points[][] = [];
  for (let i = 0; i < count; i++) {
    const image = await load(i);
    const seen = await detector.detect(image);
    const faces = await predictor.predictBatch(seen.map((face) => ({ image, ...face })));
    found.push(faces.map(({ landmarks }) => [...truthOf(landmarks).inner]));
  }
  predictor.dispose();
  detector.dispose();
  return found;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function percent(values: readonly number[]): string {
  return values.length === 0 ? '-' : (100 * mean(values)).toFixed(2);
}
