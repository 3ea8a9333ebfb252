import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Box } from '@voxface/landmarks';
import { describeError } from '../options.ts';
import { listPhotos, uniqueStems } from '../photos/list-photos.ts';
import { openLocalizer } from '../photos/localize-photos.ts';
import { createProgress } from '../progress.ts';
import { type FaceFormat, type PhotoResult, writeFaces, writePictures } from './write-faces.ts';

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

/** What came of the photos. Times in milliseconds; null where threads shared the work. */
export interface LocalizeSummary {
  readonly photos: number;
  readonly faces: number;
  readonly failed: readonly { file: string; reason: string }[];
  readonly written: readonly string[];
  readonly results: readonly PhotoResult[];
  readonly modelMs: number | null;
  readonly detectorMs: number | null;
}

/**
 * Finds the landmarks of every face in every photo and writes them under `out`. A photo that fails is named
 * and the others are still done.
 */
export async function localizeToFolder(
  inputs: readonly string[],
  options: LocalizeOptions,
): Promise<LocalizeSummary> {
  const files = listPhotos(inputs);
  const pictures = Boolean(options.overlay || options.view3d);
  const localizer = await openLocalizer(options, pictures ? 0 : files.length);
  await mkdir(options.out, { recursive: true });
  const progress = createProgress('photos', files.length);
  const failed: { file: string; reason: string }[] = [];
  const written: string[] = [];
  const results: PhotoResult[] = [];
  const stems = uniqueStems(files);
  const { name, backend } = localizer;
  const start = performance.now();
  let done = 0;
  for await (const outcome of localizer.run(files)) {
    const { file } = outcome;
    const stem = stems[done++];
    try {
      if (outcome.error !== undefined) throw new Error(outcome.error);
      const { width, height, faces, image } = outcome;
      const result: PhotoResult = { image: { path: file, width, height }, model: name, backend, faces };
      written.push(...(await writeFaces(options.out, stem, result, options.formats ?? ['json'])));
      if (image) written.push(...(await writePictures(join(options.out, stem), image, faces, options)));
      results.push(result);
      console.log(`${file}: ${faces.length} face${faces.length === 1 ? '' : 's'}`);
    } catch (error) {
      failed.push({ file, reason: describeError(error) });
      console.error(`voxface: ${file}: ${describeError(error)}`);
    }
    progress.update(done);
  }
  progress.finish();
  const seconds = (performance.now() - start) / 1000;
  const times = { modelMs: localizer.times?.model ?? null, detectorMs: localizer.times?.detector ?? null };
  localizer.dispose();
  const faces = results.reduce((sum, result) => sum + result.faces.length, 0);
  const perFace =
    faces > 0 && times.modelMs !== null ? `${(times.modelMs / faces).toFixed(1)} ms per face, ` : '';
  console.log(
    `${results.length} photo${results.length === 1 ? '' : 's'}, ${faces} faces, ${perFace}` +
      `${(files.length / seconds).toFixed(1)} photos/s (model ${name} on ${backend})` +
      (failed.length ? `, ${failed.length} failed` : ''),
  );
  return { photos: files.length, faces, failed, written, results, ...times };
}
