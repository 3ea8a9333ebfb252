import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Box } from '@voxface/landmarks';
import { describeError, UsageError } from '../options.ts';
import { type ListedPhoto, listPhotos } from '../photos/list-photos.ts';
import { type Localizer, openLocalizer } from '../photos/localize-photos.ts';
import { DETECTORS } from '../photos/open-model.ts';
import { createProgress } from '../progress.ts';
import {
  type FaceFormat,
  firstFile,
  type PhotoResult,
  toJson,
  writeFaces,
  writePictures,
} from './write-faces.ts';

export interface LocalizeOptions {
  /** Folder for the results; `-` prints a line of JSON per photo instead. */
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
  /** Skips photos whose results are there. */
  resume?: boolean;
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
 * @param inputs files, folders and patterns; `-` reads more of them from standard input, one a line.
 */
export async function localizeToFolder(
  inputs: readonly string[],
  options: LocalizeOptions,
): Promise<LocalizeSummary> {
  const { out, box, detector = 'ssd', formats = ['json'] } = options;
  if (!(DETECTORS as readonly string[]).includes(detector)) {
    throw new UsageError(`--detector: expected one of ${DETECTORS.join(', ')}, got ${detector}`);
  }
  const printed = out === '-';
  const images = Boolean(options.overlay || options.view3d);
  if (printed && images)
    throw new UsageError('--out -: expected no --overlay or --view3d, which write files');
  const listed = listPhotos(await readInputs(inputs));
  const photos =
    options.resume && !printed
      ? listed.filter(({ stem }) => !existsSync(join(out, firstFile(stem, formats))))
      : listed;
  const say = printed ? console.error : console.log;
  if (photos.length < listed.length) say(`${listed.length - photos.length} photos are done already`);
  const localizer = await openLocalizer(
    {
      model: options.model,
      backend: options.backend,
      detector: box ? false : (detector as 'ssd' | 'tiny'),
      predictor: { flip: options.flip },
      images,
    },
    photos.length,
  );
  if (!printed) await mkdir(out, { recursive: true });
  const save = async (result: PhotoResult, stem: string): Promise<string[]> => {
    if (printed) {
      process.stdout.write(`${JSON.stringify(toJson(result))}\n`);
      return [];
    }
    await mkdir(dirname(join(out, stem)), { recursive: true });
    const { faces } = result;
    const files = await writeFaces(out, stem, result, formats);
    say(`${result.image.path}: ${faces.length} face${faces.length === 1 ? '' : 's'}`);
    return files;
  };
  const start = performance.now();
  const { failed, written, results } = await runPhotos(photos, localizer, options, save);
  const seconds = (performance.now() - start) / 1000;
  const times = { modelMs: localizer.times?.model ?? null, detectorMs: localizer.times?.detector ?? null };
  const { name, backend } = localizer;
  localizer.dispose();
  const faces = results.reduce((sum, result) => sum + result.faces.length, 0);
  const perFace =
    faces > 0 && times.modelMs !== null ? `${(times.modelMs / faces).toFixed(1)} ms per face, ` : '';
  say(
    `${results.length} photo${results.length === 1 ? '' : 's'}, ${faces} faces, ${perFace}` +
      `${(photos.length / seconds).toFixed(1)} photos/s (model ${name} on ${backend})` +
      (failed.length ? `, ${failed.length} failed` : ''),
  );
  return { photos: photos.length, faces, failed, written, results, ...times };
}

async function readInputs(inputs: readonly string[]): Promise<string[]> {
  const all: string[] = [];
  for (const input of inputs) {
    if (input !== '-') all.push(input);
    else
      for await (const line of createInterface({ input: process.stdin }))
        if (line.trim()) all.push(line.trim());
  }
  return all;
}

async function runPhotos(
  photos: readonly ListedPhoto[],
  localizer: Localizer,
  options: LocalizeOptions,
  save: (result: PhotoResult, stem: string) => Promise<string[]>,
): Promise<Pick<LocalizeSummary, 'failed' | 'written' | 'results'>> {
  const { box, out } = options;
  const failed: { file: string; reason: string }[] = [];
  const written: string[] = [];
  const results: PhotoResult[] = [];
  const progress = createProgress('photos', photos.length);
  const requests = photos.map(({ file }) => ({ file, ...(box && { boxes: [box] }) }));
  let done = 0;
  for await (const outcome of localizer.run(requests)) {
    const { file } = outcome;
    const { stem } = photos[done++];
    try {
      if (outcome.error !== undefined) throw new Error(outcome.error);
      const { width, height, faces, image } = outcome;
      const { name: model, backend } = localizer;
      const result: PhotoResult = { image: { path: file, width, height }, model, backend, faces };
      written.push(...(await save(result, stem)));
      if (image) written.push(...(await writePictures(join(out, stem), image, faces, options)));
      results.push(result);
    } catch (error) {
      failed.push({ file, reason: describeError(error) });
      console.error(`voxface: ${file}: ${describeError(error)}`);
    }
    progress.update(done);
  }
  progress.finish();
  return { failed, written, results };
}
