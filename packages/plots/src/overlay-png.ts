import type { Pixels } from '@voxface/landmarks';
import sharp from 'sharp';
import { type OverlayFace, type OverlayOptions, overlaySvg } from './overlay-svg.ts';
import { renderPng } from './render-png.ts';

/**
 * A photo with its faces drawn over it, as PNG bytes of `scale` times the photo's size.
 * @throws RangeError as `overlaySvg` does.
 */
export async function overlayPng(
  image: Pixels,
  faces: readonly OverlayFace[],
  options: OverlayOptions = {},
): Promise<Buffer> {
  const { width, height, channels } = image;
  const drawing = await renderPng(overlaySvg({ width, height }, faces, options));
  const { width: wide, height: high } = await sharp(drawing).metadata();
  return sharp(image.data, { raw: { width, height, channels } })
    .resize({ width: wide, height: high, fit: 'fill', kernel: 'cubic' })
    .flatten({ background: '#000' })
    .composite([{ input: drawing }])
    .png()
    .toBuffer();
}
