import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { readImage } from '@voxface/datasets/node';
import { type Affine, type Box, cropAffine, cropPixels, type Pixels } from '@voxface/landmarks';
import { createOnnxDetector } from '@voxface/onnx/node';
import { globSync } from 'tinyglobby';
import { chooseBackend } from '../choose-backend.ts';
import { describeError } from '../errors.ts';
import { openContestants } from '../open-contestants.ts';
import type { BenchSection } from './bench-report.ts';
import type { BenchSettings } from './bench-settings.ts';
import { openFaceApi } from './face-api-contestant.ts';
import { openMediaPipe } from './media-pipe-contestant.ts';
import { type Contestant, runRounds } from './rounds.ts';

/** A face of a sample photo. */
export interface SampleFace {
  readonly image: Pixels;
  readonly box: Box;
}

/** Faces of one run. */
const FACES = 16;

/**
 * The shipped model against other libraries on the same faces, those of the photos that ship with
 * `@vladmandic/face-api`, from cropped pixels to landmarks.
 */
export async function benchPeers(settings: BenchSettings): Promise<BenchSection[]> {
  const faces = await readFaces();
  const cropsOf = (size: number): Uint8Array[] => faces.map((face) => cropOf(face, size));
  const model = settings.models[0];
  const contestants: Contestant[] = [];
  const notes: string[] = [];
  for (const { backend, threads, batch } of [
    { backend: 'onnx', threads: settings.threads, batch: 8 },
    { backend: 'onnx', threads: settings.threads, batch: 1 },
    { backend: 'onnx', threads: 1, batch: 8 },
    { backend: 'wasm', threads: 1, batch: 8 },
  ]) {
    const opened = await openContestants(model, {
      ...settings,
      backends: [backend],
      threads,
      batch,
      cropsOf,
    });
    contestants.push(...opened.contestants.map((c) => ({ ...c, name: `${c.name}, batches of ${batch}` })));
    notes.push(...opened.skipped);
  }
  for (const open of [openFaceApi, openMediaPipe]) {
    try {
      contestants.push(await open(settings.peers, cropsOf));
    } catch (error) {
      notes.push(`${describeError(error)}`);
    }
  }
  const timings = await runRounds(contestants, settings.rounds, faces.length);
  for (const contestant of contestants) await contestant.close();
  notes.push(`${faces.length} faces of the sample photos of @vladmandic/face-api in every run`);
  notes.push(`${availableParallelism()} cores; face-api's wasm has one thread in Node`);
  return [
    { title: `Peers and model \`${model}\`, from cropped pixels to landmarks`, unit: 'face', timings, notes },
  ];
}

async function readFaces(): Promise<SampleFace[]> {
  await chooseBackend('cpu');
  const root = dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json'));
  const detector = await createOnnxDetector();
  const faces: SampleFace[] = [];
  for (const file of globSync('demo/sample*.jpg', { cwd: root }).sort()) {
    const image = await readImage(join(root, file), { orient: true });
    for (const { box } of await detector.detect(image)) faces.push({ image, box });
  }
  detector.dispose();
  const found = faces.length;
  return Array.from({ length: FACES }, (_, i) => faces[i % found]);
}

function cropOf({ image, box }: SampleFace, size: number): Uint8Array {
  const crop: Affine = cropAffine(box);
  return cropPixels(image, crop, size);
}
