import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readImage } from '@voxface/datasets/node';
import type { Box, Pixels } from '@voxface/landmarks';
import type { FaceDetector, Predictor } from '@voxface/models';
import { describeError } from './errors.ts';
import { expandPhotos, uniqueStems } from './expand-photos.ts';
import { openDetector } from './open-detector.ts';
import { createProgress } from './progress.ts';
import { resolveModel } from './resolve-model.ts';
import { type FaceFormat, type FoundFace, type PhotoResult, writeFaces } from './write-faces.ts';
import { writePictures } from './write-pictures.ts';

export interface LocalizeOptions {
  out: string;
  model?: string;
  /** One face box for every photo, instead of a detector. */
  box?: Box;
  detector?: string;
  backend?: string;
  formats?: readonly FaceFormat[];
  overlay?: boolean;
  view3d?: boolean;
  flip?: boolean;
}

/** What came of the photos. Times in milliseconds. */
export interface LocalizeSummary {
  readonly photos: number;
  readonly faces: number;
  readonly failed: readonly { file: string; reason: string }[];
  readonly written: readonly string[];
  readonly results: readonly PhotoResult[];
  readonly modelMs: number;
  readonly detectorMs: number;
}

/**
 * Finds the landmarks of every face in every photo and writes them under `out`. A photo that fails is named
 * and the others are still done.
 */
export async function localizePhotos(
  inputs: readonly string[],
  options: LocalizeOptions,
): Promise<LocalizeSummary> {
  const files = expandPhotos(inputs);
  const model = await resolveModel(options.model, { backend: options.backend, flip: options.flip });
  const detector = options.box ? null : await openDetector(options.detector ?? 'ssd');
  await mkdir(options.out, { recursive: true });
  const progress = createProgress('photos', files.length);
  const failed: { file: string; reason: string }[] = [];
  const written: string[] = [];
  const results: PhotoResult[] = [];
  const times = { modelMs: 0, detectorMs: 0 };
  const stems = uniqueStems(files);
  for (const [i, file] of files.entries()) {
    try {
      const image = await readImage(file, { orient: true });
      const faces = await findFaces(image, model.predictor, detector, options.box, times);
      const result: PhotoResult = {
        image: { path: file, width: image.width, height: image.height },
        model: model.name,
        backend: model.backend,
        faces,
      };
      written.push(...(await writeFaces(options.out, stems[i], result, options.formats ?? ['json'])));
      written.push(...(await writePictures(join(options.out, stems[i]), image, faces, options)));
      results.push(result);
      console.log(`${file}: ${faces.length} face${faces.length === 1 ? '' : 's'}`);
    } catch (error) {
      failed.push({ file, reason: describeError(error) });
      console.error(`voxface: ${file}: ${describeError(error)}`);
    }
    progress.update(i + 1);
  }
  progress.finish();
  model.predictor.dispose();
  detector?.dispose();
  const faces = results.reduce((sum, result) => sum + result.faces.length, 0);
  console.log(
    `${results.length} photo${results.length === 1 ? '' : 's'}, ${faces} faces, ` +
      `${faces ? (times.modelMs / faces).toFixed(1) : '-'} ms per face (model ${model.name} on ${model.backend})` +
      (failed.length ? `, ${failed.length} failed` : ''),
  );
  return { photos: files.length, faces, failed, written, results, ...times };
}

async function findFaces(
  image: Pixels,
  predictor: Predictor,
  detector: FaceDetector | null,
  box: Box | undefined,
  times: { modelMs: number; detectorMs: number },
): Promise<FoundFace[]> {
  const started = performance.now();
  const found = detector ? await detector.detect(image) : [{ box: box as Box, score: 1 }];
  const detected = performance.now();
  const shapes = await predictor.predictBatch(found.map((face) => ({ image, box: face.box })));
  times.detectorMs += detected - started;
  times.modelMs += performance.now() - detected;
  return shapes.map((shape, i) => ({
    box: found[i].box,
    score: found[i].score,
    landmarks: shape.landmarks,
    pose: shape.pose,
  }));
}
