import type { Pixels } from '@voxface/landmarks';
import sharp from 'sharp';

/**
 * A picture as a JPEG data URL, for the `href` of `overlaySvg` and for self-contained pages.
 * @param quality JPEG quality, 1..100.
 */
export async function photoHref(image: Pixels, quality = 88): Promise<string> {
  const { width, height, channels } = image;
  const bytes = await sharp(image.data, { raw: { width, height, channels } })
    .flatten({ background: '#000' })
    .jpeg({ quality })
    .toBuffer();
  return `data:image/jpeg;base64,${bytes.toString('base64')}`;
}
