import { open, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { concatDatasets } from '../dataset-views.ts';
import { type PackedSet, parsePackedSet } from '../packed-set.ts';
import { openAddress, type PackedSetFiles, readPackedSet } from '../read-packed-set.ts';
import type { Dataset } from '../sample.ts';
import { replaceFile } from './packed-set-writer.ts';
import { decodeImage } from './read-image.ts';

/**
 * Opens a packed set: `set.json` with the files that it names beside it, in a folder or at an address (`https://...`), which is read by
 * range requests; or a folder whose subfolders, or links to folders, are packed sets, in sorted order. Where two share an identifier, all
 * get their subfolder's name in front. Every sample is checked here; annotations are read again when asked for, so that memory grows
 * with the identifiers alone.
 * @throws Error when there is no set, a file is missing, damaged, or shorter than `set.json` says, or a server sends whole files where
 * parts are asked for.
 */
export async function openPackedSet(dir: string): Promise<Dataset> {
  if (isAddress(dir)) return readPackedSet(openAddress(dir), decodeImage);
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: Error) => {
    throw new Error(`openPackedSet: expected set.json in ${dir}, got ${error.message}`, { cause: error });
  });
  if (entries.some((entry) => entry.name === 'set.json')) return readPackedSet(openFolder(dir), decodeImage);
  const parts: Dataset[] = [];
  const folders = await listFolders(dir);
  if (folders.some((name) => PART.test(name))) checkParts('openPackedSet', dir, folders);
  for (const name of folders) {
    const inner = path.join(dir, name);
    if (!(await readdir(inner)).includes('set.json')) continue;
    parts.push({ ...(await readPackedSet(openFolder(inner), decodeImage)), name });
  }
  if (parts.length === 0) {
    throw new Error(
      `openPackedSet: expected set.json in ${dir} or in its subfolders, got none (an unfinished set? resume its writer)`,
    );
  }
  return parts.length === 1 ? parts[0] : concatDatasets(parts, path.basename(path.resolve(dir)));
}

/** Whether a set lies at an address instead of a path. */
export function isAddress(target: string): boolean {
  return /^https?:\/\//i.test(target);
}

/** A name that `set.json` may hold. */
function startsPlainly(name: string): boolean {
  return /^[\w-][\w.-]*$/.test(name);
}

function openFolder(dir: string): PackedSetFiles {
  const where = (name: string): string => path.join(dir, name);
  return {
    where,
    size: async (name) => (await stat(where(name))).size,
    read: (name) =>
      readFile(where(name)).catch((error: Error) => {
        const help = name === 'set.json' ? ' (an unfinished set? resume its writer)' : '';
        throw new Error(`openPackedSet: expected ${name} in ${dir}, got ${error.message}${help}`, {
          cause: error,
        });
      }),
    part: (name, offset, length) => readPart('openPackedSet', where(name), offset, length),
  };
}

/**
 * Reads a slice of a file.
 * @throws Error when the file ends before.
 */
export async function readPart(
  caller: string,
  file: string,
  offset: number,
  length: number,
): Promise<Uint8Array> {
  const handle = await open(file, 'r');
  try {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await handle.read(bytes, 0, length, offset);
    if (bytesRead !== length) {
      throw new Error(`${caller}: expected ${length} bytes at ${offset}, got ${bytesRead} in ${file}`);
    }
    return bytes;
  } finally {
    await handle.close();
  }
}

async function listFolders(dir: string): Promise<string[]> {
  const folders: string[] = [];
  for (const name of (await readdir(dir)).sort()) {
    if ((await stat(path.join(dir, name)).catch(() => undefined))?.isDirectory()) folders.push(name);
  }
  return folders;
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
 * Makes one packed set of the sets in the subfolders of a folder (or links to their folders) without copying any of them: `set.json` names
 * their files. Parts of one job, `shard-i-of-n`, must all be there and equal in settings; other sets must have the same scheme and
 * dimensions, and the folder's name becomes that of the joined set.
 * @returns its number of samples.
 * @throws Error when a part is missing, unfinished, of another set, or made with other settings.
 */
export async function joinPackedSet(dir: string): Promise<number> {
  const found = await listFolders(dir);
  const isJob = found.some((name) => PART.test(name));
  const folders = isJob ? checkParts('joinPackedSet', dir, found) : found.filter(startsPlainly);
  if (folders.length === 0) {
    throw new Error(`joinPackedSet: expected packed sets in the subfolders of ${dir}, got none`);
  }
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
  const headOf = ({ name, dims, scheme }: PackedSet): string =>
    JSON.stringify({ ...(isJob && { name }), dims, scheme });
  const other = sets.findIndex(
    (set, i) => headOf(set) !== headOf(sets[0]) || (isJob && settings[i] !== settings[0]),
  );
  if (other >= 0) {
    const [was, is] = [0, other].map((i) => (isJob && settings[i].trim()) || headOf(sets[i]).slice(0, 200));
    throw new Error(
      `joinPackedSet: the parts of one job have equal settings, joined sets equal schemes and dimensions, got ${was} in ${folders[0]} and ${is} in ${folders[other]} of ${dir}`,
    );
  }
  const shards = sets.flatMap((set, i) =>
    set.shards.map((shard) => ({
      ...shard,
      samples: `${folders[i]}/${shard.samples}`,
      images: `${folders[i]}/${shard.images}`,
    })),
  );
  const { dims, scheme } = sets[0];
  const name = isJob ? sets[0].name : path.basename(path.resolve(dir));
  const count = shards.reduce((sum, shard) => sum + shard.count, 0);
  const filled = sets.filter((set) => set.count > 0);
  const sizes = new Set(filled.map(({ imageSize }) => JSON.stringify(imageSize)));
  const imageSize = sizes.size === 1 ? filled[0].imageSize : null;
  const joined: PackedSet = { version: 2, name, dims, scheme, count, imageSize, shards };
  await replaceFile(path.join(dir, 'set.json'), `${JSON.stringify(joined, null, 1)}\n`);
  return count;
}
