import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { type Pixels, withDefaults } from '@voxface/landmarks';
import sharp from 'sharp';
import { viewPixels } from '../packed-set.ts';

export interface DecodeImageOptions {
  /**
   * Turns the picture upright as its orientation tag says, as viewers and browsers show it. `false` gives the stored
   * pixels, to which the points of published datasets refer.
   * @default true
   */
  orient?: boolean;
  /**
   * Larger pictures are refused before they are decoded: a few kilobytes can hold gigabytes of pixels.
   * @default 100e6
   */
  maxPixels?: number;
}

export const DECODE_IMAGE_DEFAULTS: Required<DecodeImageOptions> = { orient: true, maxPixels: 100e6 };

/**
 * Decodes an image file's bytes to RGB [height, width, 3], upright. The kind of file is detected from its contents, not from its
 * name: a PNG called `.jpg` loads. Transparency is dropped.
 * @param name what to call it in errors.
 * @throws Error naming the file when the bytes are no picture, end early, or hold more than `maxPixels`.
 */
export async function decodeImage(
  bytes: Uint8Array,
  name: string,
  options: DecodeImageOptions = {},
): Promise<Pixels> {
  const { orient, maxPixels } = withDefaults(DECODE_IMAGE_DEFAULTS, options);
  const stored = viewPixels(bytes, name);
  if (stored) return stored;
  try {
    const picture = sharp(bytes, { failOn: 'truncated', limitInputPixels: maxPixels });
    const { data, info } = await (orient ? picture.autoOrient() : picture)
      .removeAlpha()
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    const pixels = new Uint8Array(data.buffer, data.byteOffset, data.length);
    return { data: pixels, width: info.width, height: info.height, channels: 3 };
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0];
    if (/pixel limit/i.test(reason)) {
      throw new Error(
        `decodeImage: pictures must have at most ${maxPixels} pixels, got more in ${name} (raise maxPixels, or make the picture smaller)`,
        { cause: error },
      );
    }
    throw new Error(
      `decodeImage: expected a whole JPEG, PNG, WebP, TIFF or GIF, got ${describeBytes(bytes)} in ${name} (${reason})`,
      { cause: error },
    );
  }
}

/**
 * Reads and decodes an image file.
 * @example
 * ```js
 * import { readImage } from '@voxface/datasets/node';
 *
 * const { width, height, channels } = await readImage('photo.jpg', { orient: true });
 * console.log(width, height, channels); // => 450 450 3
 * ```
 */
export async function readImage(file: string, options: DecodeImageOptions = {}): Promise<Pixels> {
  return decodeImage(await readFile(file), file, options);
}

/** Whether an orientation tag turns or mirrors the picture that is shown. */
export async function isTurnedPicture(picture: string | Uint8Array): Promise<boolean> {
  const { orientation = 1 } = await sharp(picture).metadata();
  return orientation !== 1;
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
 * All files under a folder, as sorted relative paths with forward slashes. Links to folders are followed, none twice on
 * the way down. What archives of macOS leave behind (`__MACOSX`, `._NAME`) is no file of a dataset.
 * @throws Error when the folder does not exist or is none.
 */
export async function listFiles(root: string): Promise<string[]> {
  const files: string[] = [];
  const walk = async (folder: string, inner: string, above: readonly string[]): Promise<void> => {
    const own = await realpath(folder);
    if (above.includes(own)) return;
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (entry.name === '__MACOSX' || entry.name.startsWith('._') || entry.name === '.DS_Store') continue;
      const full = path.join(folder, entry.name);
      const isFolder = entry.isSymbolicLink()
        ? ((await stat(full).catch(() => undefined))?.isDirectory() ?? false)
        : entry.isDirectory();
      if (isFolder) await walk(full, `${inner}${entry.name}/`, [...above, own]);
      else if (entry.isFile() || entry.isSymbolicLink()) files.push(inner + entry.name);
    }
  };
  try {
    await walk(root, '', []);
  } catch (error) {
    throw new Error(`listFiles: expected a readable folder, got ${root} (${(error as Error).message})`, {
      cause: error,
    });
  }
  return files.sort();
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
