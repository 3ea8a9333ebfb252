import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Shard, shardIndices } from '@voxface/datasets';
import type { Box } from '@voxface/landmarks';
import { describeError, StoppedError, UsageError } from '../options.ts';
import { openPart, openParts, partFile, removeParts, writeMerged, writePart } from '../parts.ts';
import { type ListedPhoto, listPhotos } from '../photos/list-photos.ts';
import { type LocalizePhotosOptions, type Localizer, openLocalizer } from '../photos/localize-photos.ts';
import { DETECTORS } from '../photos/open-model.ts';
import { createProgress } from '../progress.ts';
import {
  type FaceFormat,
  firstFile,
  isResultOf,
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
  /** Smallest faces to find, in pixels of the photo; null leaves it to the detector. */
  minFace?: number | null;
  /** `doubtful`, `always` or `never`. */
  rotations?: string;
  backend?: string;
  formats?: readonly FaceFormat[];
  overlay?: boolean;
  view3d?: boolean;
  flip?: boolean;
  crops?: number;
  /** Skips photos whose results are there. */
  resume?: boolean;
  /** Replaces files that are not this command's own results for the same photo. */
  overwrite?: boolean;
  /** The part of the photos that this process does. @default all of them */
  shard?: Shard;
  /** Threads, see `localizePhotos`. */
  threads?: number;
  /** Told of each photo's faces and files, of which nothing is kept: a folder may hold any number of photos. */
  onResult?: (result: PhotoResult, files: readonly string[]) => void;
}

const WHOLE: Shard = { index: 0, count: 1 };

/** What came of the photos. Times in milliseconds; null where threads shared the work. */
export interface LocalizeSummary {
  readonly photos: number;
  readonly faces: number;
  readonly failed: readonly { file: string; reason: string }[];
  readonly modelMs: number | null;
  readonly detectorMs: number | null;
}

/**
 * Finds the landmarks of every face in every photo and writes them under `out`. A photo that fails is named
 * and the others are still done. Files that are not results of the same photo are not replaced.
 * @param signal stops the work after the photos under way.
 * @param inputs files, folders, patterns and addresses.
 */
export async function localizeToFolder(
  inputs: readonly string[],
  options: LocalizeOptions,
  signal?: AbortSignal,
): Promise<LocalizeSummary> {
  const { out, formats = ['json'] } = options;
  const detection = detectionOf(options);
  const printed = out === '-';
  const images = Boolean(options.overlay || options.view3d);
  if (printed && images)
    throw new UsageError('--out -: expected no --overlay or --view3d, which write files');
  const { shard = WHOLE } = options;
  const all = listPhotos(inputs);
  const listed = shardIndices(all.length, shard).map((i) => all[i]);
  // What a killed part has done is not done again.
  const photos =
    (options.resume || shard.count > 1) && !printed
      ? listed.filter(({ stem, file }) => !isResultOf(join(out, firstFile(stem, formats)), file))
      : listed;
  const say = printed ? console.error : console.log;
  if (photos.length < listed.length) say(`${listed.length - photos.length} photos are done already`);
  const localizer = await openLocalizer(
    {
      model: options.model,
      backend: options.backend,
      ...detection,
      predictor: { flip: options.flip, crops: options.crops },
      images,
      threads: options.threads,
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
    const files = await writeFaces(out, stem, result, formats, options.overwrite);
    say(`${result.image.path}: ${faces.length} face${faces.length === 1 ? '' : 's'}`);
    return files;
  };
  const start = performance.now();
  const { failed, done, faces } = await runPhotos(photos, localizer, options, save, signal);
  const seconds = (performance.now() - start) / 1000;
  const times = { modelMs: localizer.times?.model ?? null, detectorMs: localizer.times?.detector ?? null };
  const { name, backend } = localizer;
  localizer.dispose();
  const perFace =
    faces > 0 && times.modelMs !== null ? `${(times.modelMs / faces).toFixed(1)} ms per face, ` : '';
  say(
    `${done} photo${done === 1 ? '' : 's'}, ${faces} faces, ${perFace}` +
      `${(photos.length / seconds).toFixed(1)} photos/s (model ${name} on ${backend})` +
      (failed.length ? `, ${failed.length} failed` : ''),
  );
  return { photos: photos.length, faces, failed, ...times };
}

/**
 * Finds the landmarks of every face in every photo and writes them as one file with a JSON a line, in the order of the
 * photos. One of several parts writes `OUT.part-i-of-n.jsonl`, to be joined by `voxface merge`. What a killed attempt has
 * written is kept; a photo that fails is a line with its `error`, so that a part is complete when it has been through all.
 */
export async function localizeToLines(
  inputs: readonly string[],
  options: LocalizeOptions,
  signal?: AbortSignal,
): Promise<{ failed: number }> {
  const {
    out,
    shard = WHOLE,
    resume,
    overwrite: __,
    onResult: ___,
    threads,
    formats: _,
    overlay,
    view3d,
    ...settings
  } = options;
  if (overlay || view3d)
    throw new UsageError('--out *.jsonl: expected no --overlay or --view3d, which write files');
  const name = shard.count > 1 ? partFile(out, shard) : out;
  if (shard.count === 1 && resume && existsSync(out)) {
    console.log(`${out} is done already`);
    return { failed: 0 };
  }
  const all = listPhotos(inputs);
  const photos = createHash('sha256')
    .update(all.map(({ file }) => file).join('\n'))
    .digest('hex');
  const part = await openPart(out, shard, {
    voxface: 'localize',
    count: all.length,
    settings: { ...settings, photos: photos.slice(0, 16) },
  });
  if (part === undefined && shard.count > 1) {
    console.log(`${name} is complete already`);
    return { failed: 0 };
  }
  let failed = 0;
  if (part !== undefined) {
    const places = shardIndices(all.length, shard).filter((i) => i > part.last);
    await writePart(part, async () => {
      failed = await writeLines(places, all, options, part.write, signal);
      // What is written waits for the next attempt.
      if (signal?.aborted) throw new StoppedError('stopped; run the same command again to go on');
    });
  }
  if (shard.count === 1) {
    const job = await openParts(out);
    ({ failed } = await writeMerged(out, job));
    await removeParts(job);
  }
  console.log(
    `${name}: ${shardIndices(all.length, shard).length} photos${failed ? `, ${failed} failed` : ''}`,
  );
  return { failed: shard.count === 1 ? failed : 0 };
}

async function writeLines(
  places: readonly number[],
  all: readonly ListedPhoto[],
  options: LocalizeOptions,
  write: (index: number, value: object) => Promise<void>,
  signal?: AbortSignal,
): Promise<number> {
  if (places.length === 0) return 0;
  const { model, backend, box, flip, crops, threads } = options;
  const localizer = await openLocalizer(
    { model, backend, ...detectionOf(options), predictor: { flip, crops }, threads },
    places.length,
  );
  const { name, backend: used } = localizer;
  const progress = createProgress('photos', places.length);
  let [done, failed] = [0, 0];
  try {
    const requests = places.map((i) => ({ file: all[i].file, ...(box && { boxes: [box] }) }));
    for await (const outcome of localizer.run(requests)) {
      const { file } = outcome;
      if (outcome.error === undefined) {
        const { width, height, faces } = outcome;
        await write(
          places[done],
          toJson({ image: { path: file, width, height }, model: name, backend: used, faces }),
        );
      } else {
        failed += 1;
        console.error(`voxface: ${file}: ${outcome.error}`);
        await write(places[done], { image: { path: file }, error: outcome.error });
      }
      progress.update(++done);
      if (signal?.aborted) break;
    }
  } finally {
    localizer.dispose();
  }
  progress.finish();
  return failed;
}

const ROTATIONS = ['doubtful', 'always', 'never'] as const;

/** @throws UsageError when a name is none of those there are. */
export function detectionOf({
  box,
  detector = 'ssd',
  minFace = null,
  rotations = 'doubtful',
}: LocalizeOptions): Pick<LocalizePhotosOptions, 'detector' | 'detectorOptions'> {
  const detectors = DETECTORS.filter((name) => name === detector);
  if (detectors.length === 0) {
    throw new UsageError(`--detector: expected one of ${DETECTORS.join(', ')}, got ${detector}`);
  }
  const turns = ROTATIONS.filter((name) => name === rotations);
  if (turns.length === 0) {
    throw new UsageError(`--rotations: expected one of ${ROTATIONS.join(', ')}, got ${rotations}`);
  }
  return { detector: box ? false : detectors[0], detectorOptions: { minFace, rotations: turns[0] } };
}

/** Lists from standard input, where `-` stands for them, one a line. */
export async function readInputs(inputs: readonly string[]): Promise<string[]> {
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
  signal?: AbortSignal,
): Promise<Pick<LocalizeSummary, 'failed' | 'faces'> & { done: number }> {
  const { box, out } = options;
  const failed: { file: string; reason: string }[] = [];
  let [localized, found] = [0, 0];
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
      const isOwn = options.overwrite || isResultOf(join(out, `${stem}.json`), file);
      const files = await save(result, stem);
      if (image) files.push(...(await writePictures(join(out, stem), image, faces, options, isOwn)));
      localized += 1;
      found += faces.length;
      options.onResult?.(result, files);
    } catch (error) {
      failed.push({ file, reason: describeError(error) });
      console.error(`voxface: ${file}: ${describeError(error)}`);
    }
    progress.update(done);
    if (signal?.aborted) break;
  }
  progress.finish();
  return { failed, done: localized, faces: found };
}
