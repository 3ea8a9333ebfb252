import { resolve } from 'node:path';
import { setupBackend } from '@voxface/backend';
import { openKeypointCsv } from '@voxface/datasets/node';
import {
  type Affine,
  boxOf,
  createRandom,
  cropPixels,
  type Random,
  type SmootherOptions,
} from '@voxface/landmarks';
import { exportDetector, exportOnnx } from '@voxface/onnx/export';
import { createOnnxDetector, createOnnxPredictor } from '@voxface/onnx/node';
import { createFaceTracker } from '@voxface/predict';
import { type BenchSection, type BenchSettings, openBenchModel } from 'voxface/bench';
import { followWithMediaPipe } from './media-pipe.ts';

/** Side of a frame, and longer side of the face in it, in pixels. */
const SIDE = 512;
const FACE = 160;
const RATE = 30;
/** Frames that show the face still, of which the first are left out, and frames in which it moves by its own size in a second. */
const STILL = 24;
const SETTLING = 8;
const MOVING = 24;
/** Standard deviation of a sensor's noise, of 255. */
const NOISE = 4;
/** Corners of the eyes, nose tip, corners of the mouth, in iBUG's 68 points and in the mesh. */
const POINTS = [36, 39, 42, 45, 30, 48, 54];
const MESH_POINTS = [33, 133, 362, 263, 4, 61, 291];

/** Per frame the points in pixels, or null where no face was found. */
type Followed = ([number, number][] | null)[];

/**
 * Jitter and lag of followed faces. Each clip is a frame of youtube-keypoints (`training`, each of another person), first still, then
 * moving at a steady speed, with noise of its own in every frame: what moves in the first part is jitter, what stays behind in the second is lag.
 */
export async function benchSteadiness(settings: BenchSettings): Promise<BenchSection[]> {
  const { frames: folderOfFrames = '../shared/data/youtube-keypoints', clips: most = '16' } = settings.flags;
  const clips = await makeClips(folderOfFrames, Number(most));
  const model = settings.models[0];
  const rows = [['way', 'jitter, % of the face', 'lag, ms', 'frames without a face']];
  const notes = [
    `${clips.length} clips of ${STILL} still and ${MOVING} moving frames of ${SIDE} x ${SIDE} pixels, faces of ${FACE} pixels, noise of ${NOISE} of 255, ${RATE} frames/s`,
    'jitter: standard deviation of still eye corners, nose tip and mouth corners, median of the clips; lag: at one face a second',
  ];
  for (const [name, smoothing] of [
    ['smoothed', {}],
    ['not smoothed', false],
  ] as const) {
    rows.push([`${model}, ${name}`, ...describe(await followClips(model, clips, smoothing))]);
  }
  const folder = settings.flags.peers ?? process.env.FACE_API_FOLDER;
  try {
    const peers = folder === undefined ? undefined : resolve(folder);
    const followed = await followWithMediaPipe(peers, clips, SIDE, RATE, MESH_POINTS);
    rows.push(['MediaPipe face mesh, tracking', ...describe(followed)]);
  } catch (error) {
    notes.push((error as Error).message);
  }
  return [{ title: 'Faces followed in video: jitter and lag', rows, notes }];
}

async function makeClips(folder: string, most: number): Promise<Uint8Array[][]> {
  const dataset = await openKeypointCsv(`${folder}/training_frames_keypoints.csv`, `${folder}/training`);
  const random = createRandom(30);
  const people = new Set<string>();
  const clips: Uint8Array[][] = [];
  // Every tenth frame, so that the people are spread over the list.
  for (let i = 0; i < dataset.length && clips.length < most; i += 10) {
    const person = dataset.ids[i].replace(/.*\/|_\d+(\.\w+)?$/g, '');
    if (people.has(person)) continue;
    people.add(person);
    const { image, landmarks } = await dataset.load(i);
    const box = boxOf(landmarks);
    const scale = FACE / Math.max(box.width, box.height) / SIDE;
    const [x, y] = [box.x + box.width / 2 + 0.5, box.y + box.height / 2 + 0.5];
    clips.push(
      Array.from({ length: STILL + MOVING }, (_, frame) => {
        const across = (pathOf(frame) - (MOVING * FACE) / RATE / 2) / SIDE;
        const affine: Affine = [
          scale,
          0,
          0,
          scale,
          0.5 - scale * (x - 0.5) + across,
          0.5 - scale * (y - 0.5),
        ];
        return addNoise(cropPixels(image, affine, SIDE), random);
      }),
    );
  }
  return clips;
}

/** Pixels that the face has moved since the first frame. */
function pathOf(frame: number): number {
  return (Math.max(0, frame - STILL + 1) * FACE) / RATE;
}

function addNoise(pixels: Uint8Array, random: Random): Uint8Array {
  for (let i = 0; i < pixels.length; i++) {
    // A sum of four uniform numbers has a standard deviation of 1 / sqrt(3).
    const noise = (random.next() + random.next() + random.next() + random.next() - 2) * Math.sqrt(3) * NOISE;
    pixels[i] = Math.max(0, Math.min(255, Math.round(pixels[i] + noise)));
  }
  return pixels;
}

async function followClips(
  model: string,
  clips: readonly (readonly Uint8Array[])[],
  smoothing: SmootherOptions | false,
): Promise<Followed[]> {
  await setupBackend('cpu');
  const loaded = await openBenchModel(model);
  const predictor = await createOnnxPredictor(await exportOnnx(loaded));
  loaded.dispose();
  const detector = await createOnnxDetector(await exportDetector());
  const followed: Followed[] = [];
  for (const clip of clips) {
    const tracker = createFaceTracker(predictor, detector, { smoothing });
    const frames: Followed = [];
    for (const [frame, data] of clip.entries()) {
      const [face] = await tracker.track({ data, width: SIDE, height: SIDE, channels: 3 }, frame / RATE);
      frames.push(
        face === undefined
          ? null
          : POINTS.map((i) => [face.landmarks.points[3 * i], face.landmarks.points[3 * i + 1]]),
      );
    }
    followed.push(frames);
  }
  predictor.dispose();
  detector.dispose();
  return followed;
}

/** Jitter, lag and missing frames as text. */
function describe(followed: readonly Followed[]): string[] {
  const measured = followed.flatMap((frames) => {
    const still = frames.slice(SETTLING, STILL).filter((points) => points !== null);
    const moving = frames.flatMap((points, frame) =>
      points !== null && frame >= STILL + MOVING / 2 ? [{ points, frame }] : [],
    );
    if (still.length < 2 || moving.length === 0) return [];
    const places = POINTS.map((_, k) => [0, 1].map((axis) => mean(still.map((points) => points[k][axis]))));
    const jitter = places.map((place, k) =>
      Math.sqrt(mean(still.map((points) => (points[k][0] - place[0]) ** 2 + (points[k][1] - place[1]) ** 2))),
    );
    const behind = moving.map(({ points, frame }) =>
      mean(places.map(([x], k) => x + pathOf(frame) - points[k][0])),
    );
    return [{ jitter: mean(jitter) / FACE, lag: (1000 * mean(behind)) / FACE }];
  });
  const missing = followed.flat().filter((points) => points === null).length;
  if (measured.length === 0) return ['-', '-', String(missing)];
  return [
    (100 * median(measured.map(({ jitter }) => jitter))).toFixed(3),
    median(measured.map(({ lag }) => lag)).toFixed(1),
    String(missing),
  ];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
