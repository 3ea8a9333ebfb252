import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setupBackend } from '@voxface/backend';
import { readImage } from '@voxface/datasets/node';
import { type Affine, type Box, cropAffine, cropPixels, type Pixels } from '@voxface/landmarks';
import { exportDetector } from '@voxface/onnx/export';
import { createOnnxDetector } from '@voxface/onnx/node';
import { globSync } from 'tinyglobby';
import {
  type BenchSection,
  type BenchSettings,
  type Candidate,
  openCandidates,
  runRounds,
} from 'voxface/bench';
import { openFaceApi } from './face-api.ts';
import { openMediaPipe } from './media-pipe.ts';

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
  const candidates: Candidate[] = [];
  const notes: string[] = [];
  for (const { backend, threads, batch } of [
    { backend: 'onnx', threads: settings.threads, batch: 8 },
    { backend: 'onnx', threads: settings.threads, batch: 1 },
    { backend: 'onnx', threads: 1, batch: 8 },
    { backend: 'wasm', threads: 1, batch: 8 },
  ]) {
    const opened = await openCandidates(model, {
      ...settings,
      backends: [backend],
      threads,
      batch,
      cropsOf,
    });
    candidates.push(...opened.candidates.map((c) => ({ ...c, name: `${c.name}, batches of ${batch}` })));
    notes.push(...opened.skipped);
  }
  const folder = settings.flags.peers ?? process.env.FACE_API_FOLDER;
  const peers = folder === undefined ? undefined : resolve(folder);
  for (const open of [openFaceApi, openMediaPipe]) {
    try {
      candidates.push(await open(peers, cropsOf));
    } catch (error) {
      notes.push((error as Error).message);
    }
  }
  const timings = await runRounds(candidates, settings.rounds, faces.length);
  for (const candidate of candidates) await candidate.close();
  notes.push(`${faces.length} faces of the sample photos of @vladmandic/face-api in every run`);
  notes.push(`${availableParallelism()} cores; face-api's wasm has one thread in Node`);
  return [
    { title: `Peers and model \`${model}\`, from cropped pixels to landmarks`, unit: 'face', timings, notes },
  ];
}

/** Faces of the photos that ship with `@vladmandic/face-api`, found by our detector. */
export async function readFaces(): Promise<SampleFace[]> {
  await setupBackend('cpu');
  const root = dirname(createRequire(import.meta.url).resolve('@vladmandic/face-api/package.json'));
  const detector = await createOnnxDetector(await exportDetector());
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
