import { appendFile, mkdir, open, readFile, rename, rm, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import type { LandmarkScheme, Pixels } from '@voxface/landmarks';
import sharp from 'sharp';
import type { PackedSample, PackedSet } from '../packed-set.ts';
import type { Annotation, Dataset } from '../sample.ts';

export interface PackedSetHead {
  name: string;
  dims: 2 | 3;
  scheme: LandmarkScheme;
}

export interface PackedSetWriterOptions {
  /** JPEG quality of pictures that are given as pixels, 1..100. */
  quality?: number;
  /** True continues an interrupted set in the folder; false refuses a folder that holds one. */
  resume?: boolean;
}

export const PACKED_SET_WRITER_DEFAULTS: Required<PackedSetWriterOptions> = { quality: 92, resume: false };

/** Writes a packed set sample by sample; everything added survives an interruption. */
export interface PackedSetWriter {
  /** Identifiers already in the set. */
  readonly ids: ReadonlySet<string>;
  /**
   * Adds a sample: encoded bytes go in unchanged, pixels are stored as JPEG without chroma subsampling.
   * @throws Error when the identifier is there already, or a landmark is not finite.
   */
  add(annotation: Omit<Annotation, 'scheme'>, image: Uint8Array | Pixels): Promise<void>;
  /** Writes `set.json` and removes the journal. */
  close(): Promise<void>;
}

/**
 * Opens a folder for writing in our own format: `images.bin` (concatenated image files) and `set.json`. Until
 * `close`, the annotations are in `samples.jsonl`, one line per complete sample.
 * @throws Error when the folder already holds a set and `resume` is false.
 */
export async function createPackedSetWriter(
  dir: string,
  head: PackedSetHead,
  options: PackedSetWriterOptions = {},
): Promise<PackedSetWriter> {
  const { quality, resume } = { ...PACKED_SET_WRITER_DEFAULTS, ...options };
  const binFile = path.join(dir, 'images.bin');
  const journalFile = path.join(dir, JOURNAL);
  const setFile = path.join(dir, 'set.json');
  await mkdir(dir, { recursive: true });
  const samples = await recoverSamples(dir, head, resume);
  let offset = samples.reduce((end, { offset, length }) => Math.max(end, offset + length), 0);
  await (await open(binFile, 'a')).close();
  if ((await stat(binFile)).size < offset) {
    throw new Error(
      `createPackedSetWriter: images.bin of ${dir} must hold ${offset} bytes, got ${(await stat(binFile)).size} (delete the folder)`,
    );
  }
  await truncate(binFile, offset);
  const ids = new Set(samples.map((sample) => sample.id));
  let tail: Promise<void> = Promise.resolve();
  return {
    ids,
    async add(annotation, image) {
      if (ids.has(annotation.id)) {
        throw new Error(`add: identifiers must be unique, got "${annotation.id}" twice in ${head.name}`);
      }
      const gap = annotation.landmarks.points.find((value) => !Number.isFinite(value));
      if (gap !== undefined) {
        throw new Error(
          `add: landmarks must be finite, got ${gap} in "${annotation.id}" of ${head.name} (mask hidden ones)`,
        );
      }
      ids.add(annotation.id);
      const { bytes, width, height } = await encodeImage(image, quality);
      const write = async (): Promise<void> => {
        const sample = packSample(annotation, { offset, length: bytes.length, width, height });
        await appendFile(binFile, bytes);
        await appendFile(journalFile, JSON.stringify(sample) + '\n');
        offset += bytes.length;
        samples.push(sample);
      };
      const written = tail.then(write);
      tail = written.catch(() => {});
      return written;
    },
    async close() {
      await tail;
      const set: PackedSet = {
        version: 1,
        ...head,
        count: samples.length,
        imageSize: commonSize(samples),
        samples,
      };
      const { samples: _, ...fields } = set;
      const rows = samples.map((sample) => JSON.stringify(sample)).join(',\n');
      const text = JSON.stringify(fields).slice(0, -1) + `,"samples":[\n${rows}\n]}\n`;
      await appendFile(setFile + '.part', '');
      await truncate(setFile + '.part', 0);
      await appendFile(setFile + '.part', text);
      await rename(setFile + '.part', setFile);
      await rm(journalFile, { force: true });
    },
  };
}

async function encodeImage(
  image: Uint8Array | Pixels,
  quality: number,
): Promise<{ bytes: Uint8Array; width: number; height: number }> {
  if (image instanceof Uint8Array) {
    const { width, height } = await sharp(image).metadata();
    return { bytes: image, width, height };
  }
  const { data, width, height, channels } = image;
  const bytes = await sharp(data, { raw: { width, height, channels } })
    .removeAlpha()
    .jpeg({ quality, chromaSubsampling: '4:4:4' })
    .toBuffer();
  return { bytes, width, height };
}

function packSample(
  annotation: Omit<Annotation, 'scheme'>,
  place: Pick<PackedSample, 'offset' | 'length' | 'width' | 'height'>,
): PackedSample {
  const { id, landmarks, box, visible, occluded, yaw, attributes, provenance } = annotation;
  return {
    id,
    ...place,
    landmarks: Array.from(landmarks.points, (value) => Math.round(value * 1e4) / 1e4),
    box: [box.x, box.y, box.width, box.height],
    ...(visible && { visible: Array.from(visible) }),
    ...(occluded && { occluded: Array.from(occluded) }),
    ...(yaw !== undefined && { yaw }),
    ...(attributes && { attributes }),
    provenance,
  };
}

function commonSize(samples: readonly PackedSample[]): PackedSet['imageSize'] {
  if (samples.length === 0) return null;
  const { width, height } = samples[0];
  return samples.every((s) => s.width === width && s.height === height) ? [width, height] : null;
}

/** Annotations of a set that is being written, one line per complete sample. */
const JOURNAL = 'samples.jsonl';

/**
 * The samples that an earlier writer left in the folder: those of its journal, or of a finished set, whose journal is
 * made again. A line that was cut by the interruption is dropped.
 * @throws Error when there are some and `resume` is false, or a finished set has other dimensions.
 */
async function recoverSamples(
  dir: string,
  head: Pick<PackedSet, 'dims'>,
  resume: boolean,
): Promise<PackedSample[]> {
  const readText = (file: string): Promise<string | undefined> =>
    readFile(path.join(dir, file), 'utf8').catch(() => undefined);
  const setText = await readText('set.json');
  const journal = await readText(JOURNAL);
  if (setText === undefined && journal === undefined) return [];
  if (!resume) {
    throw new Error(
      `createPackedSetWriter: ${dir} already holds a set (resume it, or choose another folder)`,
    );
  }
  if (setText !== undefined && journal === undefined) {
    const set = JSON.parse(setText) as PackedSet;
    if (set.dims !== head.dims) {
      throw new Error(
        `createPackedSetWriter: the set in ${dir} has ${set.dims} dimensions, got ${head.dims}`,
      );
    }
    await appendFile(
      path.join(dir, JOURNAL),
      set.samples.map((sample) => JSON.stringify(sample) + '\n').join(''),
    );
    return [...set.samples];
  }
  const samples: PackedSample[] = [];
  let length = 0;
  for (const line of journal!.split('\n').slice(0, -1)) {
    samples.push(JSON.parse(line) as PackedSample);
    length += Buffer.byteLength(line) + 1;
  }
  await truncate(path.join(dir, JOURNAL), length);
  return samples;
}

/**
 * Writes a whole dataset as a packed set. Encoded pictures go in as they are where the dataset offers them.
 * @param onProgress told the number of samples done.
 */
export async function writePackedSet(
  dir: string,
  dataset: Dataset,
  options: PackedSetWriterOptions & {
    onProgress?: (done: number, total: number) => void;
    /** Absent: the first sample that cannot be read throws. */
    onProblem?: (problem: { id: string; error: Error }) => void;
  } = {},
): Promise<void> {
  const { name, dims, scheme } = dataset;
  const writer = await createPackedSetWriter(dir, { name, dims, scheme }, options);
  for (let i = 0; i < dataset.length; i++) {
    if (!writer.ids.has(dataset.ids[i])) {
      try {
        if (dataset.loadEncoded) {
          const { encoded, ...annotation } = await dataset.loadEncoded(i);
          await writer.add(annotation, encoded);
        } else {
          const { image, ...annotation } = await dataset.load(i);
          await writer.add(annotation, image);
        }
      } catch (error) {
        if (!options.onProblem) throw error;
        options.onProblem({ id: dataset.ids[i], error: error as Error });
      }
    }
    options.onProgress?.(i + 1, dataset.length);
  }
  await writer.close();
}
