import { appendFile, mkdir, open, rename, rm, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import type { LandmarkScheme, Pixels } from '@voxface/landmarks';
import sharp from 'sharp';
import type { PackedSample, PackedSet } from '../packed-set.ts';
import type { Annotation } from '../sample.ts';
import { JOURNAL, recoverSamples } from './recover-samples.ts';

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
