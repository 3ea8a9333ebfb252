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
import { readLines, replaceFile } from './packed-set-writer.ts';
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
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  if (folders.some((name) => PART.test(name))) checkParts('openVoxfaceDataset', dir, folders);
  for (const name of folders) {
    const inner = await readdir(path.join(dir, name));
    if (inner.includes('set.json')) parts.push({ ...(await openPackedSet(path.join(dir, name))), name });
  }
  if (parts.length === 0) {
    throw new Error(`openVoxfaceDataset: expected set.json in ${dir} or in its subfolders, got none`);
  }
  return parts.length === 1 ? parts[0] : concatDatasets(parts, path.basename(path.resolve(dir)));
}

const PART = /^shard-(\d+)-of-(\d+)$/;

/** The folders of a job's parts in order; all must be there. */
function checkParts(caller: string, dir: string, folders: readonly string[]): string[] {
  const names = folders.filter((name) => PART.test(name));
  const counts = new Set(names.map((name) => Number(PART.exec(name)![2])));
  if (counts.size !== 1) {
    throw new Error(
      `${caller}: expected the parts of one job (shard-0-of-N, ...), got ${names.slice(0, 4).join(', ') || 'none'} in ${dir}`,
    );
  }
  const [count] = counts;
  const all = Array.from({ length: count }, (_, i) => `shard-${i}-of-${count}`);
  const missing = all.filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new Error(
      `${caller}: expected ${count} parts, got ${count - missing.length} in ${dir}; missing: ${missing.slice(0, 20).join(', ')} (run those parts again)`,
    );
  }
  return all;
}

/**
 * Makes one packed set of the parts `shard-i-of-n` of a folder without copying any of them: `set.json` names their files.
 * @returns its number of samples.
 * @throws Error when a part is missing, unfinished, of another set, or made with other settings.
 */
export async function joinPackedSet(dir: string): Promise<number> {
  const folders = checkParts('joinPackedSet', dir, await readdir(dir));
  const sets: PackedSet[] = [];
  const settings: string[] = [];
  for (const name of folders) {
    const file = path.join(dir, name, 'set.json');
    const text = await readFile(file, 'utf8').catch((error: Error) => {
      throw new Error(`joinPackedSet: expected a finished part, got ${error.message} (run it again)`, {
        cause: error,
      });
    });
    const set = parsePackedSet(text, file);
    if (set.samples) {
      throw new Error(`joinPackedSet: expected parts of version 2, got ${file} of 1 (resume its writer)`);
    }
    sets.push(set);
    settings.push(await readFile(path.join(dir, name, 'settings.json'), 'utf8').catch(() => ''));
  }
  const headOf = ({ name, dims, scheme }: PackedSet): string => JSON.stringify({ name, dims, scheme });
  const other = sets.findIndex((set, i) => headOf(set) !== headOf(sets[0]) || settings[i] !== settings[0]);
  if (other >= 0) {
    const [was, is] = [0, other].map((i) => settings[i].trim() || headOf(sets[i]));
    throw new Error(
      `joinPackedSet: the parts of one job have equal settings, got ${was} in ${folders[0]} and ${is} in ${folders[other]} of ${dir}`,
    );
  }
  const shards = sets.flatMap((set, i) =>
    set.shards.map((shard) => ({
      ...shard,
      samples: `${folders[i]}/${shard.samples}`,
      images: `${folders[i]}/${shard.images}`,
    })),
  );
  const { name, dims, scheme } = sets[0];
  const count = shards.reduce((sum, shard) => sum + shard.count, 0);
  const filled = sets.filter((set) => set.count > 0);
  const sizes = new Set(filled.map(({ imageSize }) => JSON.stringify(imageSize)));
  const imageSize = sizes.size === 1 ? filled[0].imageSize : null;
  const joined: PackedSet = { version: 2, name, dims, scheme, count, imageSize, shards };
  await replaceFile(path.join(dir, 'set.json'), `${JSON.stringify(joined, null, 1)}\n`);
  return count;
}

async function readImageBytes(dir: string, images: string, sample: PackedSample): Promise<Uint8Array> {
  if (sample.file) return readFile(path.join(dir, path.dirname(images), sample.file));
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
