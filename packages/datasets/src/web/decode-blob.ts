import type { Pixels } from '@voxface/landmarks';

/**
 * Decodes a picture in the browser to RGBA [height, width, 4]. Orientation tags are not applied and colours are not
 * converted, so that the pixels are those the loaders of Node see.
 * @param name what to call it in errors.
 * @throws Error naming the picture when it cannot be decoded.
 */
export async function decodeBlob(blob: Blob, name: string): Promise<Pixels> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(blob, {
      imageOrientation: 'none' as ImageOrientation,
      colorSpaceConversion: 'none',
      premultiplyAlpha: 'none',
    }).catch(() => createImageBitmap(blob));
  } catch (error) {
    throw new Error(
      `decodeBlob: expected a whole picture the browser can read, got ${blob.size} bytes of ${blob.type || 'unknown type'} in ${name} (${(error as Error).message})`,
      { cause: error },
    );
  }
  try {
    const { width, height } = bitmap;
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error(`decodeBlob: expected a 2D canvas, got none for ${name}`);
    context.drawImage(bitmap, 0, 0);
    return { data: context.getImageData(0, 0, width, height).data, width, height, channels: 4 };
  } finally {
    bitmap.close();
  }
}
