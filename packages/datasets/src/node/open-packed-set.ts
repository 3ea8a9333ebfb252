import { open, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { concatDatasets } from '../dataset-views.ts';
import { type PackedSample, parsePackedSet, schemeOfSet, unpackSample } from '../packed-set.ts';
import { createRecordDataset } from '../record-dataset.ts';
import type { Dataset } from '../sample.ts';
import { decodeImage } from './read-image.ts';

/**
 * Opens a packed set: `set.json` with `images.bin` beside it.
 * @throws Error when a file is missing, damaged, or `images.bin` is shorter than `set.json` says.
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
  const binFile = path.join(dir, 'images.bin');
  const end = set.samples.reduce((max, s) => (s.file ? max : Math.max(max, s.offset + s.length)), 0);
  const size = end === 0 ? 0 : (await stat(binFile)).size;
  if (size < end) {
    throw new Error(
      `openPackedSet: images.bin must hold ${end} bytes, got ${size} in ${dir} (copy it again)`,
    );
  }
  return createRecordDataset({
    name: set.name,
    scheme,
    dims: set.dims,
    ids: set.samples.map((sample) => sample.id),
    annotate: (index) => unpackSample(set.samples[index], set, scheme),
    readImage: (index) => readSlice(dir, binFile, set.samples[index]),
    decode: decodeImage,
  });
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

async function readSlice(dir: string, binFile: string, sample: PackedSample): Promise<Uint8Array> {
  if (sample.file) return readFile(path.join(dir, sample.file));
  const handle = await open(binFile, 'r');
  try {
    const bytes = new Uint8Array(sample.length);
    const { bytesRead } = await handle.read(bytes, 0, sample.length, sample.offset);
    if (bytesRead !== sample.length) {
      throw new Error(
        `openPackedSet: expected ${sample.length} bytes at ${sample.offset}, got ${bytesRead} in ${binFile}`,
      );
    }
    return bytes;
  } finally {
    await handle.close();
  }
}
