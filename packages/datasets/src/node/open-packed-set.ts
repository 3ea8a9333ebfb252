import { open, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { concatDatasets } from '../dataset-views.ts';
import {
  type PackedSample,
  type PackedSet,
  type PackedShard,
  parsePackedSample,
  parsePackedSet,
  schemeOfSet,
  unpackSample,
} from '../packed-set.ts';
import { createRecordDataset } from '../record-dataset.ts';
import type { Dataset } from '../sample.ts';
import { readLines } from './packed-set-writer.ts';
import { decodeImage } from './read-image.ts';

/**
 * Opens a packed set: `set.json` with the files that it names beside it. Every sample is checked here; annotations are
 * read again when asked for, so that memory grows with the identifiers alone.
 * @throws Error when a file is missing, damaged, or shorter than `set.json` says.
 */
export async function openPackedSet(dir: string): Promise<Dataset> {
  const setFile = path.join(dir, 'set.json');
  const text = await readFile(setFile, 'utf8').catch((error: Error) => {
    throw new Error(
      `openPackedSet: expected set.json in ${dir}, got ${error.message} (an unfinished set? resume its writer)`,
      { cause: error },
    );
  });
  const set = parsePackedSet(text, setFile);
  const scheme = schemeOfSet(set);
  const index = set.samples ? await indexSamples(dir, set.samples) : await indexShards(dir, set);
  return createRecordDataset({
    name: set.name,
    scheme,
    dims: set.dims,
    ids: index.ids,
    annotate: async (i) => unpackSample(await index.sample(i), set, scheme),
    readImage: async (i) => readImageBytes(dir, index.images(i), await index.sample(i)),
    decode: decodeImage,
  });
}

/** Where samples are found. */
interface SampleIndex {
  readonly ids: string[];
  sample(index: number): Promise<PackedSample>;
  /** File name of the shard's pictures. */
  images(index: number): string;
}

/** A set of version 1: the samples are in memory. */
async function indexSamples(dir: string, samples: readonly PackedSample[]): Promise<SampleIndex> {
  const end = samples.reduce((max, s) => (s.file ? max : Math.max(max, s.offset + s.length)), 0);
  await checkSize(path.join(dir, 'images.bin'), end);
  return {
    ids: samples.map(({ id }) => id),
    sample: async (index) => samples[index],
    images: () => 'images.bin',
  };
}

/** Reads and checks all lines once, and keeps their places. */
async function indexShards(dir: string, set: PackedSet): Promise<SampleIndex> {
  const ids: string[] = [];
  const starts = new Float64Array(set.count);
  const lengths = new Uint32Array(set.count);
  const firsts: number[] = [];
  for (const { samples, images, samplesBytes, imagesBytes, count } of set.shards) {
    const file = path.join(dir, samples);
    await checkSize(file, samplesBytes);
    await checkSize(path.join(dir, images), imagesBytes);
    firsts.push(ids.length);
    for await (const { line, start, end } of readLines(file, samplesBytes)) {
      const sample = parsePackedSample(line, set, `line ${ids.length - firsts.at(-1)! + 1} of ${file}`);
      if (!sample.file && sample.offset + sample.length > imagesBytes) {
        throw new Error(
          `openPackedSet: pictures must lie within ${imagesBytes} bytes, got ${sample.id} at ${sample.offset} in ${file}`,
        );
      }
      starts[ids.length] = start;
      lengths[ids.length] = end - start;
      ids.push(sample.id);
    }
    if (ids.length - firsts.at(-1)! !== count) {
      throw new Error(
        `openPackedSet: ${file} must hold ${count} samples, got ${ids.length - firsts.at(-1)!} (copy it again)`,
      );
    }
  }
  const shardOf = (index: number): PackedShard => {
    let shard = firsts.length - 1;
    while (firsts[shard] > index) shard -= 1;
    return set.shards[shard];
  };
  return {
    ids,
    async sample(index) {
      const file = path.join(dir, shardOf(index).samples);
      const line = Buffer.from(await readPart(file, starts[index], lengths[index])).toString('utf8');
      return parsePackedSample(line, set, file);
    },
    images: (index) => shardOf(index).images,
  };
}

async function checkSize(file: string, expected: number): Promise<void> {
  if (expected === 0) return;
  const { size } = await stat(file);
  if (size < expected) {
    throw new Error(
      `openPackedSet: ${path.basename(file)} must hold ${expected} bytes, got ${size} in ${path.dirname(file)} (copy it again)`,
    );
  }
}

/**
 * Opens our own format: a packed set, or a folder whose subfolders are packed sets (shards), in sorted order. Where two
 * shards share an identifier, all get their subfolder's name in front.
 * @throws Error when there is neither.
 */
export async function openVoxfaceDataset(dir: string): Promise<Dataset> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: Error) => {
    throw new Error(`openVoxfaceDataset: expected a folder, got ${error.message}`, { cause: error });
  });
  if (entries.some((entry) => entry.name === 'set.json')) return openPackedSet(dir);
  const parts: Dataset[] = [];
  for (const name of entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()) {
    const inner = await readdir(path.join(dir, name));
    if (inner.includes('set.json')) parts.push({ ...(await openPackedSet(path.join(dir, name))), name });
  }
  if (parts.length === 0) {
    throw new Error(`openVoxfaceDataset: expected set.json in ${dir} or in its subfolders, got none`);
  }
  return parts.length === 1 ? parts[0] : concatDatasets(parts, path.basename(path.resolve(dir)));
}

async function readImageBytes(dir: string, images: string, sample: PackedSample): Promise<Uint8Array> {
  if (sample.file) return readFile(path.join(dir, sample.file));
  return readPart(path.join(dir, images), sample.offset, sample.length);
}

async function readPart(file: string, offset: number, length: number): Promise<Uint8Array> {
  const handle = await open(file, 'r');
  try {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await handle.read(bytes, 0, length, offset);
    if (bytesRead !== length) {
      throw new Error(`openPackedSet: expected ${length} bytes at ${offset}, got ${bytesRead} in ${file}`);
    }
    return bytes;
  } finally {
    await handle.close();
  }
}
