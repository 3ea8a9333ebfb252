import { type Box, boxOf, countLandmarks, type LandmarkScheme } from '@voxface/landmarks';
import { landmarkColor, mixColors, toHex } from './color.ts';
import type { OVERLAY_DEFAULTS, OverlayFace } from './overlay-svg.ts';
import { connectParts, schemeFor } from './parts.ts';
import { escapeXml, formatNumber, svgElement } from './svg.ts';

type Settings = typeof OVERLAY_DEFAULTS & { scheme?: LandmarkScheme };

/** One face of an overlay as an SVG group; units are image pixels. */
export function drawFaceOverlay(face: OverlayFace, settings: Settings, fallback: LandmarkScheme): string {
  const { points, dims } = face.landmarks;
  const count = countLandmarks(face.landmarks);
  const scheme = schemeFor('overlaySvg', count, settings.scheme, fallback);
  const tight = boxOf(face.landmarks);
  const side = Math.max(tight.width, tight.height, 1e-6);
  const radius = settings.radius ?? Math.max(0.9 / settings.scale, side * 0.0095);
  const x = (i: number): string => formatNumber(points[i * dims]);
  const y = (i: number): string => formatNumber(points[i * dims + 1]);
  let lines = '';
  if (settings.connect && scheme) {
    const segments = connectParts(scheme);
    const path = segments.map(([a, b]) => `M${x(a)} ${y(a)}L${x(b)} ${y(b)}`).join('');
    lines += svgElement('path', {
      d: path,
      stroke: '#000',
      'stroke-opacity': 0.4,
      'stroke-width': radius * 1.5,
    });
    for (const [a, b] of segments) {
      const color = mixColors(
        landmarkColor(a, count),
        landmarkColor(b, count),
        Math.abs(a - b) === 1 ? 0.5 : 0,
      );
      const d = `M${x(a)} ${y(a)}L${x(b)} ${y(b)}`;
      lines += svgElement('path', { d, stroke: toHex(color), 'stroke-width': radius * 0.75 });
    }
  }
  let dots = '';
  for (let i = 0; i < count; i++) {
    const hidden = face.visible !== undefined && !face.visible[i];
    const color = toHex(landmarkColor(i, count));
    dots += svgElement('circle', {
      class: 'landmark',
      cx: points[i * dims],
      cy: points[i * dims + 1],
      r: radius,
      fill: hidden ? 'none' : color,
      stroke: hidden ? color : undefined,
    });
  }
  const linesGroup = lines && svgElement('g', { fill: 'none', 'stroke-linecap': 'round' }, lines);
  const dotsGroup = svgElement(
    'g',
    { stroke: '#000', 'stroke-opacity': 0.7, 'stroke-width': radius * 0.35 },
    dots,
  );
  return svgElement('g', { class: 'face' }, drawBox(face, settings, tight, side) + linesGroup + dotsGroup);
}

/** Box outline and identifier. */
function drawBox(face: OverlayFace, settings: Settings, tight: Box, side: number): string {
  const stroke = Math.max(0.8 / settings.scale, side * 0.006);
  let text = '';
  if (settings.box && face.box) {
    const { x, y, width, height } = face.box;
    const shape = { x, y, width, height, rx: side * 0.02, fill: 'none' };
    text += svgElement('rect', {
      ...shape,
      stroke: '#000',
      'stroke-opacity': 0.35,
      'stroke-width': stroke * 2.2,
    });
    text += svgElement('rect', {
      class: 'box',
      ...shape,
      stroke: '#fff',
      'stroke-opacity': 0.9,
      'stroke-width': stroke,
    });
  }
  if (settings.label && face.id !== undefined) {
    const at = face.box ?? tight;
    const size = Math.max(9 / settings.scale, side * 0.075);
    text += svgElement(
      'text',
      {
        x: at.x + size * 0.1,
        y: Math.max(size, at.y - size * 0.35),
        'font-size': size,
        'font-weight': 'bold',
        fill: '#fff',
        stroke: '#000',
        'stroke-opacity': 0.75,
        'stroke-width': size * 0.16,
        'paint-order': 'stroke',
        'stroke-linejoin': 'round',
      },
      escapeXml(String(face.id)),
    );
  }
  return text;
}
