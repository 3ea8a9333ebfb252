import { type Pixels, withDefaults } from '@voxface/landmarks';
import sharp from 'sharp';
import { type OverlayFace, type OverlayOptions, overlaySvg } from './overlay.ts';

export interface RenderPngOptions {
  /** Width of the PNG in pixels; null takes the drawing's own width. @default null */
  width?: number | null;
  /** CSS colour behind transparent parts; null keeps them transparent. @default null */
  background?: string | null;
}

export const RENDER_PNG_DEFAULTS: Required<RenderPngOptions> = { width: null, background: null };

/**
 * Renders an SVG document to PNG bytes with sharp (librsvg). Sizes other than the drawing's own are rendered
 * sharp, not resampled from it.
 * @throws RangeError when `svg` is no SVG document or the width is not positive.
 * @example
 * ```js
 * import { MEAN_FACE_68 } from '@voxface/landmarks';
 * import { view3dSvg } from '@voxface/plots';
 * import { renderPng } from '@voxface/plots/node';
 *
 * const png = await renderPng(view3dSvg(MEAN_FACE_68), { width: 200 });
 * console.log(png.subarray(1, 4).toString()); // => PNG
 * ```
 */
export async function renderPng(svg: string, options: RenderPngOptions = {}): Promise<Buffer> {
  const { width, background } = withDefaults(RENDER_PNG_DEFAULTS, options);
  const own = Number(/^\s*<svg\b[^>]*?\swidth="([\d.]+)"/.exec(svg)?.[1]);
  if (!(own > 0)) {
    throw new RangeError(
      `renderPng: expected an SVG document with a width, got ${JSON.stringify(svg.slice(0, 40))}`,
    );
  }
  if (width !== null && !(width > 0)) {
    throw new RangeError(`renderPng: width must be positive, got ${width}`);
  }
  const target = Math.max(1, Math.round(width ?? own));
  const density = Math.min(100_000, Math.max(1, (72 * target) / own));
  let picture = sharp(Buffer.from(svg), { density, unlimited: true }).resize({ width: target });
  if (background !== null) picture = picture.flatten({ background });
  return picture.png().toBuffer();
}

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
