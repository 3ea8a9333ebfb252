import { withDefaults } from '@voxface/landmarks';
import { escapeXml, svgDocument, svgElement, type ThemeName, themeOf, toHex } from './svg.ts';

/** One picture of a sheet: an SVG document as this package makes them. */
export interface ContactSheetCell {
  readonly svg: string;
  /** Written under the picture; escaped. */
  readonly caption?: string;
}

export interface ContactSheetOptions {
  /** Pictures per row. @default 4 */
  columns?: number;
  /** Side of the square that each picture is fitted into, pixels. @default 240 */
  cell?: number;
  /** Between pictures, pixels. @default 12 */
  gap?: number;
  /** @default 'dark' */
  theme?: ThemeName;
  /** Written over the sheet; escaped. */
  title?: string;
}

export const CONTACT_SHEET_DEFAULTS: Required<Omit<ContactSheetOptions, 'title'>> = {
  columns: 4,
  cell: 240,
  gap: 12,
  theme: 'dark',
};

/**
 * Pictures in a grid, row by row, as one SVG document; photos inside come along as data URLs (`photoHref`).
 * @throws RangeError when there is no cell, `columns` is no positive integer, or a cell is no SVG document.
 * @example
 * ```js
 * import { MEAN_FACE_68 } from '@voxface/landmarks';
 * import { contactSheet, view3dSvg } from '@voxface/plots';
 *
 * const cells = [-60, 0, 60].map((yaw) => ({ svg: view3dSvg(MEAN_FACE_68, { yaw }), caption: `${yaw} degrees` }));
 * console.log(contactSheet(cells, { columns: 3 }).startsWith('<svg')); // => true
 * ```
 */
export function contactSheet(cells: readonly ContactSheetCell[], options: ContactSheetOptions = {}): string {
  const { columns, cell, gap, theme, title } = withDefaults(CONTACT_SHEET_DEFAULTS, options);
  if (cells.length === 0) throw new RangeError('contactSheet: expected at least one picture, got none');
  if (!(Number.isInteger(columns) && columns > 0)) {
    throw new RangeError(`contactSheet: columns must be a positive integer, got ${columns}`);
  }
  const { background, text } = themeOf(theme);
  const caption = cells.some((c) => c.caption) ? cell * 0.1 : 0;
  const head = title ? cell * 0.16 : 0;
  const across = Math.min(columns, cells.length);
  const width = across * (cell + gap) + gap;
  const height = head + Math.ceil(cells.length / columns) * (cell + caption + gap) + gap;
  let body = svgElement('rect', { width, height, fill: toHex(background) });
  if (title) body += label(title, gap, gap + head * 0.6, head * 0.5, 'start', toHex(text));
  cells.forEach((item, i) => {
    const x = gap + (i % columns) * (cell + gap);
    const y = head + gap + Math.floor(i / columns) * (cell + caption + gap);
    body += nest(item.svg, i, x, y, cell);
    if (item.caption) {
      body += label(
        item.caption,
        x + cell / 2,
        y + cell + caption * 0.75,
        caption * 0.55,
        'middle',
        toHex(text),
      );
    }
  });
  return svgDocument([0, 0, width, height], width, body, title);
}

/** The document as a nested `svg` element fitted into a square. */
function nest(svg: string, index: number, x: number, y: number, side: number): string {
  const opening = /^\s*<svg\b[^>]*>/.exec(svg)?.[0];
  const viewBox = opening && /\sviewBox="([^"]+)"/.exec(opening)?.[1];
  if (!opening || !viewBox || !svg.trimEnd().endsWith('</svg>')) {
    throw new RangeError(
      `contactSheet: expected an SVG document with a viewBox, got ${JSON.stringify(svg.slice(0, 40))} at picture ${index}`,
    );
  }
  const children = svg.slice(opening.length, svg.lastIndexOf('</svg>'));
  return svgElement('svg', { x, y, width: side, height: side, viewBox }, children);
}

function label(text: string, x: number, y: number, size: number, anchor: string, fill: string): string {
  return svgElement('text', { x, y, 'font-size': size, 'text-anchor': anchor, fill }, escapeXml(text));
}
