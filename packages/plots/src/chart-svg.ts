import type { TopLevelSpec } from 'vega-lite';
import { toHex } from './color.ts';
import type { ThemeName } from './theme.ts';
import { themeOf } from './theme.ts';

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

/** Compiles a vega-lite specification and renders it without a DOM; vega is loaded on first use. */
export async function chartSvg(spec: TopLevelSpec, theme: ThemeName): Promise<string> {
  const [vega, { compile }] = await Promise.all([import('vega'), import('vega-lite')]);
  const { background, text, lines } = themeOf(theme);
  const ink = toHex(text);
  const font = 'DejaVu Sans, Verdana, Helvetica, Arial, sans-serif';
  const compiled = compile({
    ...spec,
    background: toHex(background),
    padding: 14,
    config: {
      font,
      range: { category: [...SERIES_COLORS] },
      view: { stroke: null },
      axis: {
        labelColor: ink,
        titleColor: ink,
        titleFontWeight: 'normal',
        labelFontSize: 11,
        titleFontSize: 12,
        titlePadding: 8,
        gridColor: toHex(lines),
        gridOpacity: 0.45,
        domain: false,
        tickColor: toHex(lines),
      },
      legend: { labelColor: ink, titleColor: ink, labelFontSize: 11, symbolStrokeWidth: 3, labelLimit: 400 },
      title: { color: ink, fontSize: 13, anchor: 'start', fontWeight: 'bold', offset: 8 },
    },
  } as TopLevelSpec);
  const view = new vega.View(vega.parse(compiled.spec), { renderer: 'none' });
  try {
    return await view.toSVG();
  } finally {
    view.finalize();
  }
}
