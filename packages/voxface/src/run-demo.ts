import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { globSync } from 'tinyglobby';
import { drawLargestFace } from './draw-volume.ts';
import { localizePhotos } from './localize-photos.ts';

export interface DemoOptions {
  out: string;
  model?: string;
  backend?: string;
}

/** The whole way on real photos: detector, network, pictures, JSON, and where they all are. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const photos = samplePhotos();
  console.log(`Localizing the faces of ${photos.length} sample photos of @vladmandic/face-api ...`);
  const summary = await localizePhotos(photos, { ...options, overlay: true, view3d: true });
  const [volume] = await drawLargestFace(summary.results, options);
  const pictures = summary.written.filter((file) => file.endsWith('.png'));
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
