/** Attribute values of one SVG element; undefined ones are left out. */
export type SvgAttributes = Readonly<Record<string, string | number | undefined>>;

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
