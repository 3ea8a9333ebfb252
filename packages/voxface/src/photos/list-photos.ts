import { existsSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeImage, IMAGE_EXTENSIONS, readImage } from '@voxface/datasets/node';
import type { Pixels } from '@voxface/landmarks';
import { globSync } from 'tinyglobby';
import { UsageError } from '../options.ts';

/** A photo to be localized. */
export interface ListedPhoto {
  readonly file: string;
  /** Where its results go, relative to the output folder, without an ending. */
  readonly stem: string;
}

/**
 * Files, folders (searched recursively for images), glob patterns and addresses to a list of photos in order, without repeats.
 * Results of a folder's photos keep its subfolders. A file named by hand is taken whatever its ending; what it contains
 * shows when it is decoded.
 * @throws UsageError naming a path that does not exist or a folder without images.
 */
export function listPhotos(inputs: readonly string[]): ListedPhoto[] {
  const listed = inputs.flatMap((input): ListedPhoto[] => {
    if (isAddress(input)) return [{ file: input, stem: stemOfAddress(input) }];
    if (!existsSync(input)) {
      const found = /[*?[{]/.test(input) ? globSync(input, { absolute: false }) : [];
      if (found.length === 0) throw new UsageError(`no such file or folder: ${input}`);
      return found.sort().map((file) => ({ file, stem: stemOf(basename(file)) }));
    }
    if (!statSync(input).isDirectory()) return [{ file: input, stem: stemOf(basename(input)) }];
    const files = globSync('**/*', { cwd: input });
    const found = files.filter((file) => IMAGE_EXTENSIONS.includes(extname(file).toLowerCase()));
    const others = files.filter((file) => OTHER_PICTURES.test(file)).sort();
    const named = `${others.slice(0, 3).join(', ')}${others.length > 3 ? ', ...' : ''}`;
    if (found.length === 0) {
      const instead = others.length > 0 ? `, but ${others.length} of other kinds (${named}; ${CONVERT})` : '';
      throw new UsageError(`no images (${IMAGE_EXTENSIONS.join(' ')}) in folder ${input}${instead}`);
    }
    if (others.length > 0) {
      console.error(
        `voxface: ${input}: left out ${others.length} pictures of other kinds: ${named} (${CONVERT})`,
      );
    }
    return found.sort().map((file) => ({
      file: relative(process.cwd(), join(input, file)) || file,
      stem: stemOf(file),
    }));
  });
  const unique = new Map(
    listed.map((photo) => [isAddress(photo.file) ? photo.file : resolve(photo.file), photo]),
  );
  return withUniqueStems([...unique.values()]);
}

/** Whether a photo is named by its address instead of its path. */
export function isAddress(photo: string): boolean {
  return /^https?:\/\//i.test(photo);
}

/** The last part of an address's path without ending, of letters that every file system takes. */
function stemOfAddress(address: string): string {
  if (!URL.canParse(address)) throw new UsageError(`no address: ${address}`);
  const { pathname, hostname } = new URL(address);
  const last = stemOf(basename(pathname.replace(/%2f/gi, '_')));
  return last.replace(/[^\w.-]+/g, '_').replace(/^\.+/, '') || hostname;
}

/** Longest wait for a file from an address, milliseconds. */
const PATIENCE = 60_000;

/**
 * The bytes at an address: http, https, data or file.
 * @throws Error when there is none, or it takes more than a minute.
 */
export async function readAddress(address: URL): Promise<Uint8Array> {
  if (address.protocol === 'file:') return readFile(fileURLToPath(address));
  const response = await fetch(address, { signal: AbortSignal.timeout(PATIENCE) }).catch((error: Error) => {
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    throw new Error(`readAddress: expected a file at ${address.href}, got no answer (${reason})`, {
      cause: error,
    });
  });
  if (!response.ok) {
    throw new Error(`readAddress: expected a file at ${address.href}, got status ${response.status}`);
  }
  return new Uint8Array(await response.arrayBuffer());
}

/** Decodes a photo from its path or address. */
export async function readPhoto(photo: string, options: { orient: boolean }): Promise<Pixels> {
  if (!isAddress(photo)) return readImage(photo, options);
  return decodeImage(await readAddress(new URL(photo)), photo, options);
}

/** Pictures that nothing here decodes. */
const OTHER_PICTURES = /\.(heic|heif|bmp|psd|jxl|jp2|dng|cr2|cr3|nef|arw|raf|orf|rw2)$/i;
const CONVERT = 'convert them to JPEG first';

/** Counters at the end of stems that come twice. */
function withUniqueStems(photos: readonly ListedPhoto[]): ListedPhoto[] {
  const taken = new Set<string>();
  return photos.map(({ file, stem: wanted }) => {
    let stem = wanted;
    for (let i = 2; taken.has(stem.toLowerCase()); i++) stem = `${wanted}-${i}`;
    taken.add(stem.toLowerCase());
    return { file, stem };
  });
}

function stemOf(file: string): string {
  return join(dirname(file), basename(file, extname(file)));
}
