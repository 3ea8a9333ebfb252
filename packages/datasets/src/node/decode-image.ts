import { readFile } from 'node:fs/promises';
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
