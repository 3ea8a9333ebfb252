import { hueColor, type Rgb } from '@voxface/volume';

/** Attribute values of one SVG element; undefined ones are left out. */
type SvgAttributes = Readonly<Record<string, string | number | undefined>>;

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what has to go
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** Escapes text for use inside XML, quotes included. Characters that XML 1.0 forbids are dropped. */
export function escapeXml(text: string): string {
  const names: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(FORBIDDEN, '').replace(/[&<>"']/g, (c) => names[c]);
}

/** Shortest text of a number with at most `digits` decimals. */
export function formatNumber(value: number, digits = 2): string {
  const text = value.toFixed(digits);
  const short = text.includes('.') ? text.replace(/\.?0+$/, '') : text;
  return short === '-0' ? '0' : short;
}

/** One SVG element with escaped attributes around ready-made children. */
export function svgElement(name: string, attributes: SvgAttributes, children = ''): string {
  let text = `<${name}`;
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined) continue;
    text += ` ${key}="${typeof value === 'number' ? formatNumber(value) : escapeXml(value)}"`;
  }
  return children === '' ? `${text}/>` : `${text}>${children}</${name}>`;
}

/** A whole SVG document. `viewBox` is [x, y, width, height] in user units; `width` is in pixels. */
export function svgDocument(
  viewBox: readonly [number, number, number, number],
  width: number,
  children: string,
  title?: string,
): string {
  const height = (width * viewBox[3]) / viewBox[2];
  const name = title === undefined ? '' : svgElement('title', {}, escapeXml(title));
  return svgElement(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      width,
      height,
      viewBox: viewBox.map((v) => formatNumber(v)).join(' '),
      'font-family': 'DejaVu Sans, Verdana, Helvetica, Arial, sans-serif',
    },
    name + children,
  );
}

export type ThemeName = 'dark' | 'light';

/** Colours of a picture that has no photo behind it. */
export interface Theme {
  readonly background: Rgb;
  /** Surface in full light and in shadow. */
  readonly surface: Rgb;
  readonly shadow: Rgb;
  readonly lines: Rgb;
  readonly text: Rgb;
  /** Outline of dots. */
  readonly outline: Rgb;
}

export const THEMES: Readonly<Record<ThemeName, Theme>> = {
  dark: {
    background: [0.078, 0.09, 0.114],
    surface: [0.47, 0.51, 0.6],
    shadow: [0.17, 0.19, 0.23],
    lines: [0.32, 0.36, 0.43],
    text: [0.86, 0.88, 0.92],
    outline: [0.05, 0.06, 0.08],
  },
  light: {
    background: [1, 1, 1],
    surface: [0.95, 0.96, 0.98],
    shadow: [0.66, 0.69, 0.75],
    lines: [0.74, 0.76, 0.8],
    text: [0.16, 0.18, 0.22],
    outline: [0.2, 0.22, 0.26],
  },
};

/** @throws RangeError for a name that is no theme. */
export function themeOf(name: ThemeName): Theme {
  const theme = THEMES[name];
  if (!theme) {
    throw new RangeError(`themeOf: expected one of ${Object.keys(THEMES).join(', ')}, got ${name}`);
  }
  return theme;
}

/**
 * The sorted colour of a landmark: the hue wheel walked by index (Sec. III-A of the paper), saturation and value 1.
 * @param index landmark, 0..count-1.
 */
export function landmarkColor(index: number, count: number): Rgb {
  return hueColor(index / count);
}

/** Line colours of charts, told apart with the common colour-vision deficiencies too (Okabe and Ito 2008). */
export const SERIES_COLORS: readonly string[] = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#7f7f7f',
  '#b8a900',
];

/** `#rrggbb`. */
export function toHex(color: Rgb): string {
  const byte = (v: number): string =>
    Math.round(255 * Math.max(0, Math.min(1, v)))
      .toString(16)
      .padStart(2, '0');
  return `#${byte(color[0])}${byte(color[1])}${byte(color[2])}`;
}
