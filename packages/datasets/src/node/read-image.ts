import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Pixels } from '@voxface/landmarks';
import sharp from 'sharp';

export interface DecodeImageOptions {
  /** Turns the picture upright as its orientation tag says (photos straight from a phone). */
  orient?: boolean;
}

/**
 * Decodes an image file's bytes to RGB [height, width, 3]. The kind of file is told by its bytes, not by its
 * name: a PNG called `.jpg` loads. Orientation tags are applied only on request, because annotations refer to the
 * stored pixels; transparency is dropped.
 * @param name what to call it in errors.
 * @throws Error naming the file when the bytes are no picture, or end early.
 */
export async function decodeImage(
  bytes: Uint8Array,
  name: string,
  options: DecodeImageOptions = {},
): Promise<Pixels> {
  try {
    const picture = sharp(bytes, { failOn: 'truncated' });
    const { data, info } = await (options.orient ? picture.autoOrient() : picture)
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    const pixels = new Uint8Array(data.buffer, data.byteOffset, data.length);
    return { data: pixels, width: info.width, height: info.height, channels: 3 };
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0];
    throw new Error(
      `decodeImage: expected a whole JPEG, PNG, WebP, TIFF or GIF, got ${describeBytes(bytes)} in ${name} (${reason})`,
      { cause: error },
    );
  }
}

/** Reads and decodes an image file. */
export async function readImage(file: string, options: DecodeImageOptions = {}): Promise<Pixels> {
  return decodeImage(await readFile(file), file, options);
}

function describeBytes(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'an empty file';
  const kind =
    bytes[0] === 0xff && bytes[1] === 0xd8
      ? 'a damaged or truncated JPEG'
      : bytes[0] === 0x89 && bytes[1] === 0x50
        ? 'a damaged or truncated PNG'
        : 'something else';
  return `${kind} of ${bytes.length} bytes`;
}

/** Extensions that the loaders accept for pictures, in order of preference. */
export const IMAGE_EXTENSIONS: readonly string[] = [
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.avif',
  '.gif',
  '.tif',
  '.tiff',
];

/**
 * All files under a folder, as sorted relative paths with forward slashes.
 * @throws Error when the folder does not exist or is none.
 */
export async function listFiles(root: string): Promise<string[]> {
  try {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() || entry.isSymbolicLink())
      .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
      .sort();
  } catch (error) {
    throw new Error(`listFiles: expected a readable folder, got ${root} (${(error as Error).message})`, {
      cause: error,
    });
  }
}

/** File name without its extension, folders kept. */
export function stemOf(file: string): string {
  return file.slice(0, file.length - path.extname(file).length);
}

/** Map from stem to picture among the files. */
export function imagesByStem(files: readonly string[]): Map<string, string> {
  const images = new Map<string, string>();
  const rank = (file: string): number => IMAGE_EXTENSIONS.indexOf(path.extname(file).toLowerCase());
  for (const file of files) {
    if (rank(file) < 0) continue;
    const known = images.get(stemOf(file));
    if (known === undefined || rank(file) < rank(known)) images.set(stemOf(file), file);
  }
  return images;
}
