import {
  type Box,
  boxOf,
  countLandmarks,
  IBUG_68,
  type LandmarkScheme,
  type Landmarks,
  withDefaults,
} from '@voxface/landmarks';
import { mixColors } from '@voxface/volume';
import { checkDrawable, connectParts, type Segment, schemeFor } from './parts.ts';
import {
  escapeXml,
  formatNumber,
  landmarkColor,
  svgDocument,
  svgElement,
  type ThemeName,
  themeOf,
  toHex,
} from './svg.ts';

/** The picture under an overlay. `Pixels` fits: without `href` the drawing stays transparent, ready to be laid over. */
export interface OverlayImage {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Address or data URL of the picture, see `photoHref` of `@voxface/plots/node`. */
  readonly href?: string;
}

/** One face to draw, in image pixels. */
export interface OverlayFace {
  readonly landmarks: Landmarks;
  readonly box?: Box;
  /** Written at the box; escaped. */
  readonly id?: string | number;
  /** [n] 0 = hidden: drawn as a ring. */
  readonly visible?: ArrayLike<number>;
  /** [n] 0..1: the less certain a landmark, the fainter its dot and its lines. */
  readonly confidence?: ArrayLike<number>;
}

export interface OverlayOptions {
  /** Scheme whose parts are connected. @default IBUG_68 for 68 landmarks, none (dots alone) for any other number */
  scheme?: LandmarkScheme;
  /** Draw the boxes of faces that have one. @default true */
  box?: boolean;
  /** Draw the identifiers of faces that have one. @default true */
  label?: boolean;
  /** Connect the landmarks of each part. @default true */
  connect?: boolean;
  /** Radius of the dots in image pixels; null chooses by the size of the face. @default null */
  radius?: number | null;
  /** Output pixels per image pixel. @default 1 */
  scale?: number;
  /** Colours where there is no photo. @default 'dark' */
  theme?: ThemeName;
  title?: string;
}

export const OVERLAY_DEFAULTS: Required<Omit<OverlayOptions, 'scheme' | 'title'>> = {
  box: true,
  label: true,
  connect: true,
  radius: null,
  scale: 1,
  theme: 'dark',
};

/**
 * Draws faces over a photo, or on a neutral ground when `image` is null. One dot per landmark in its sorted hue
 * (class `landmark`, `cx` and `cy` in image pixels), the parts connected, box and identifier. User units are
 * image pixels with the origin at the centre of the top-left pixel, as everywhere in voxface.
 * @param faces at least one when `image` is null.
 * @throws RangeError on an empty picture, an empty or non-finite face, or a scheme of another size.
 * @example
 * ```js
 * import { MEAN_FACE_68 } from '@voxface/landmarks';
 * import { overlaySvg } from '@voxface/plots';
 *
 * const svg = overlaySvg(null, [{ landmarks: MEAN_FACE_68 }]);
 * console.log(svg.match(/class="landmark"/g).length); // => 68
 * ```
 */
export function overlaySvg(
  image: OverlayImage | null,
  faces: readonly OverlayFace[],
  options: OverlayOptions = {},
): string {
  const settings = withDefaults(OVERLAY_DEFAULTS, options);
  for (const face of faces) checkDrawable('overlaySvg', face.landmarks);
  const [x, y, width, height] = canvasOf(image, faces);
  if (!(settings.scale > 0)) {
    throw new RangeError(`overlaySvg: scale must be positive, got ${settings.scale}`);
  }
  const ground =
    image === null
      ? svgElement('rect', { x, y, width, height, fill: toHex(themeOf(settings.theme).background) })
      : image.href === undefined
        ? ''
        : svgElement('image', { x, y, width, height, preserveAspectRatio: 'none', href: image.href });
  const drawn = faces.map((face) => drawFaceOverlay(face, settings, IBUG_68)).join('');
  return svgDocument(
    [x, y, width, height],
    Number(formatNumber(width * settings.scale)),
    ground + drawn,
    settings.title,
  );
}

/** [x, y, width, height] of the drawing in pixel-centre coordinates. */
function canvasOf(
  image: OverlayImage | null,
  faces: readonly OverlayFace[],
): [number, number, number, number] {
  if (image !== null) {
    if (!(image.width > 0 && image.height > 0)) {
      throw new RangeError(
        `overlaySvg: expected a picture with positive size, got ${image.width} x ${image.height}`,
      );
    }
    return [-0.5, -0.5, image.width, image.height];
  }
  if (faces.length === 0) {
    throw new RangeError('overlaySvg: expected a picture or at least one face, got neither');
  }
  const boxes = faces.flatMap((face) => [boxOf(face.landmarks), ...(face.box ? [face.box] : [])]);
  const left = Math.min(...boxes.map((b) => b.x));
  const top = Math.min(...boxes.map((b) => b.y));
  const width = Math.max(...boxes.map((b) => b.x + b.width)) - left;
  const height = Math.max(...boxes.map((b) => b.y + b.height)) - top;
  const margin = 0.14 * Math.max(width, height, 1e-6);
  return [left - margin, top - margin, width + 2 * margin, height + 2 * margin];
}

type Settings = typeof OVERLAY_DEFAULTS & { scheme?: LandmarkScheme };

/** One face of an overlay as an SVG group; units are image pixels. */
function drawFaceOverlay(face: OverlayFace, settings: Settings, fallback: LandmarkScheme): string {
  const { points, dims } = face.landmarks;
  const count = countLandmarks(face.landmarks);
  const scheme = schemeFor('overlaySvg', count, settings.scheme, fallback);
  const tight = boxOf(face.landmarks);
  const side = Math.max(tight.width, tight.height, 1e-6);
  const radius = settings.radius ?? Math.max(0.9 / settings.scale, side * 0.0095);
  const x = (i: number): string => formatNumber(points[i * dims]);
  const y = (i: number): string => formatNumber(points[i * dims + 1]);
  // Faint landmarks stay visible.
  const opacity = (...ends: number[]): number | undefined =>
    face.confidence && 0.2 + 0.8 * Math.min(...ends.map((i) => face.confidence![i]));
  let lines = '';
  if (settings.connect && scheme) {
    const segments = connectParts(scheme);
    const path = ([a, b]: Segment): string => `M${x(a)} ${y(a)}L${x(b)} ${y(b)}`;
    const shade = { stroke: '#000', 'stroke-opacity': 0.4, 'stroke-width': radius * 1.5 };
    lines += face.confidence
      ? segments
          .map((ends) => svgElement('path', { d: path(ends), ...shade, opacity: opacity(...ends) }))
          .join('')
      : svgElement('path', { d: segments.map(path).join(''), ...shade });
    for (const [a, b] of segments) {
      const color = mixColors(
        landmarkColor(a, count),
        landmarkColor(b, count),
        Math.abs(a - b) === 1 ? 0.5 : 0,
      );
      lines += svgElement('path', {
        d: path([a, b]),
        stroke: toHex(color),
        'stroke-width': radius * 0.75,
        opacity: opacity(a, b),
      });
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
      opacity: opacity(i),
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
