import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { readImage } from '@voxface/datasets/node';
import { loadModel } from '@voxface/models/node';
import { contactSheet, overlaySvg, view3dSvg, volumeCloudSvg } from '@voxface/plots';
import { renderPng } from '@voxface/plots/node';
import { PRETRAINED_DEFAULT } from '@voxface/pretrained';
import { globSync } from 'tinyglobby';
import { chooseBackend, findModelFolder } from '../photos/open-model.ts';
import { runNetworks } from '../plot/plot.ts';
import { localizeToFolder } from './localize.ts';
import type { PhotoResult } from './write-faces.ts';

export interface DemoOptions {
  out: string;
  model?: string;
  backend?: string;
}

/** The whole way on real photos: detector, network, pictures, JSON, and where they all are. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const photos = samplePhotos();
  console.log(`Localizing the faces of ${photos.length} sample photos of @vladmandic/face-api ...`);
  const results: PhotoResult[] = [];
  const written: string[] = [];
  const onResult = (result: PhotoResult, files: readonly string[]): void => {
    results.push(result);
    written.push(...files);
  };
  const summary = await localizeToFolder(photos, { ...options, overlay: true, view3d: true, onResult });
  const [volume] = await drawLargestFace(results, options);
  const pictures = written.filter((file) => file.endsWith('.png'));
  console.log(`
${summary.faces} faces in ${summary.photos} photos
${(summary.modelMs! / summary.faces).toFixed(1)} ms per face for the landmarks, ${(summary.detectorMs! / summary.photos).toFixed(0)} ms per photo for the detector
${pictures.length} pictures (overlays, 3D views), the predicted semantic volume ${volume}
and one JSON file per photo are in ${resolve(options.out)}`);
}

function samplePhotos(): string[] {
  const require = createRequire(import.meta.url);
  const root = dirname(require.resolve('@vladmandic/face-api/package.json'));
  return globSync('sample*.jpg', { cwd: join(root, 'demo'), absolute: true }).sort();
}

/**
 * Draws what is known of the largest face found, without its photo: `semantic-volume.png`, the last volume that the
 * estimator predicts, and `summary.png` with landmarks, 3D shape and volume side by side. Returns the files.
 */
async function drawLargestFace(
  results: readonly PhotoResult[],
  options: { out: string; model?: string },
): Promise<string[]> {
  const faces = results.flatMap((result) => result.faces.map((face) => ({ file: result.image.path, face })));
  faces.sort((a, b) => b.face.box.width - a.face.box.width);
  const { file, face } = faces[0];
  await chooseBackend('wasm');
  const model = await loadModel(findModelFolder(options.model ?? PRETRAINED_DEFAULT));
  const { volumes, shapes } = await runNetworks(model, await readImage(file, { orient: true }), face.box);
  model.dispose();
  const volume = volumeCloudSvg(volumes[volumes.length - 1], shapes[shapes.length - 1]);
  const summary = contactSheet(
    [
      { svg: overlaySvg(null, [{ landmarks: face.landmarks }], { label: false }), caption: '68 landmarks' },
      { svg: view3dSvg(face.landmarks), caption: '3D shape' },
      { svg: volume, caption: 'predicted semantic volume' },
    ],
    { columns: 3, cell: 320 },
  );
  const pictures = [
    [join(options.out, 'semantic-volume.png'), volume],
    [join(options.out, 'summary.png'), summary],
  ];
  for (const [name, svg] of pictures) await writeFile(name, await renderPng(svg));
  return pictures.map(([name]) => name);
}
