import sharp from 'sharp';

export interface RenderPngOptions {
  /** Width of the PNG in pixels; null takes the drawing's own width. */
  width?: number | null;
  /** CSS colour behind transparent parts; null keeps them transparent. */
  background?: string | null;
}

export const RENDER_PNG_DEFAULTS: Required<RenderPngOptions> = { width: null, background: null };

/**
 * Renders an SVG document to PNG bytes with sharp (librsvg). Sizes other than the drawing's own are rendered
 * sharp, not resampled from it.
 * @throws RangeError when `svg` is no SVG document or the width is not positive.
 */
export async function renderPng(svg: string, options: RenderPngOptions = {}): Promise<Buffer> {
  const { width, background } = { ...RENDER_PNG_DEFAULTS, ...options };
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
