import { IBUG_68, type LandmarkScheme, type Landmarks, withDefaults } from '@voxface/landmarks';
import { mixColors, type Rgb } from '@voxface/volume';
import { checkDrawable, connectParts, IBUG_68_TRIANGLES, schemeFor } from './parts.ts';
import {
  escapeXml,
  formatNumber,
  landmarkColor,
  svgDocument,
  svgElement,
  type Theme,
  type ThemeName,
  themeOf,
  toHex,
} from './svg.ts';

/** Unit vector toward the light: upper left, in front. */
const LIGHT = [-0.38, -0.55, -0.74];

/** A piece of the drawing with the depth that it is painted at. */
interface Piece {
  readonly depth: number;
  readonly svg: string;
}

/** Colours of an estimate and of the truth beside it, as in Figs. 5 and 6. */
const ESTIMATE_COLOR: Rgb = [0.2, 0.42, 1];
const TRUTH_COLOR: Rgb = [0.93, 0.16, 0.16];

/** The drawing of one view inside a square of `size` pixels, far pieces first. */
function drawView3d(landmarks: Landmarks<3>, settings: typeof VIEW3D_DEFAULTS & View3dOptions): string {
  const { truth, size } = settings;
  if (!(size > 0)) throw new RangeError(`view3dSvg: size must be positive, got ${size}`);
  const shapes = truth === undefined ? [landmarks] : [truth, landmarks];
  for (const shape of shapes) {
    checkDrawable('view3dSvg', shape);
    if (shape.dims !== 3) {
      throw new RangeError(`view3dSvg: expected 3D landmarks, got dims ${shape.dims} (use overlaySvg)`);
    }
  }
  const all = shapes.flatMap(({ points }) => Array.from(points));
  const center = boxCenter(all);
  const { scale, reach } = fitScale(all, center, size);
  const fit = { center, scale, reach };
  const pieces =
    truth === undefined
      ? drawShape(landmarks, settings, fit)
      : [
          ...drawShape(truth, { ...settings, scheme: undefined }, fit, TRUTH_COLOR, 'truth'),
          ...drawShape(landmarks, settings, fit, ESTIMATE_COLOR),
        ];
  pieces.sort((a, b) => b.depth - a.depth);
  return svgElement('g', { class: 'view3d' }, pieces.map((p) => p.svg).join(''));
}

/** One shape: surface, connected parts and landmarks, in their hues or all in one colour, then without a surface. */
function drawShape(
  { points: given }: Landmarks<3>,
  settings: typeof VIEW3D_DEFAULTS & View3dOptions,
  { center, scale, reach }: { center: readonly number[]; scale: number; reach: number },
  color?: Rgb,
  kind = 'landmark',
): Piece[] {
  const count = given.length / 3;
  const scheme = schemeFor('view3dSvg', count, settings.scheme, IBUG_68);
  const theme = themeOf(settings.theme);
  const points = rotatePoints(given, viewRotation(settings), center);
  const colorOf = (i: number): Rgb => color ?? landmarkColor(i, count);
  const place = (i: number): string =>
    `${formatNumber(settings.size / 2 + points[3 * i] * scale)} ${formatNumber(settings.size / 2 + points[3 * i + 1] * scale)}`;
  /** 0 nearest .. 1 farthest. */
  const fog = (z: number): number => Math.max(0, Math.min(1, 0.5 + z / (2 * reach)));
  const pieces: Piece[] = [];
  if (settings.surface && color === undefined && scheme?.name === IBUG_68.name) {
    pieces.push(...drawSurface(points, place, theme, fog));
  }
  const unit = settings.size / 100;
  for (const [a, b] of scheme ? connectParts(scheme) : []) {
    const z = (points[3 * a + 2] + points[3 * b + 2]) / 2;
    const hue = mixColors(colorOf(a), colorOf(b), Math.abs(a - b) === 1 ? 0.5 : 0);
    pieces.push({
      depth: z - 0.12 * reach,
      svg: svgElement('path', {
        d: `M${place(a)}L${place(b)}`,
        stroke: toHex(mixColors(hue, theme.background, 0.5 * fog(z))),
        'stroke-width': unit * (0.75 - 0.35 * fog(z)),
        'stroke-linecap': 'round',
      }),
    });
  }
  for (let i = 0; i < count; i++) {
    const z = points[3 * i + 2];
    pieces.push({
      depth: z - 0.14 * reach,
      svg: svgElement('circle', {
        class: kind,
        'data-landmark': i,
        cx: settings.size / 2 + points[3 * i] * scale,
        cy: settings.size / 2 + points[3 * i + 1] * scale,
        r: unit * (1.15 - 0.5 * fog(z)),
        fill: toHex(mixColors(colorOf(i), theme.background, 0.45 * fog(z))),
        stroke: toHex(theme.outline),
        'stroke-width': unit * 0.18,
      }),
    });
  }
  return pieces;
}

/** Scale that keeps every turn of the points inside the square, and the largest distance from the centre. */
function fitScale(points: ArrayLike<number>, center: readonly number[], size: number) {
  let reach = 1e-9;
  for (let i = 0; i < points.length; i += 3) {
    const distance = Math.hypot(points[i] - center[0], points[i + 1] - center[1], points[i + 2] - center[2]);
    reach = Math.max(reach, distance);
  }
  return { scale: (0.45 * size) / reach, reach };
}

/** Flat-shaded triangles. */
function drawSurface(
  points: Float64Array,
  place: (i: number) => string,
  theme: Theme,
  fog: (z: number) => number,
): Piece[] {
  const pieces: Piece[] = [];
  for (let t = 0; t < IBUG_68_TRIANGLES.length; t += 3) {
    const [a, b, c] = IBUG_68_TRIANGLES.slice(t, t + 3);
    const depth = (points[3 * a + 2] + points[3 * b + 2] + points[3 * c + 2]) / 3;
    const fill = toHex(shade(theme, facing(points, a, b, c), fog(depth)));
    pieces.push({
      depth,
      svg: svgElement('path', {
        d: `M${place(a)}L${place(b)}L${place(c)}Z`,
        fill,
        stroke: fill,
        'stroke-width': 0.6,
        'stroke-linejoin': 'round',
      }),
    });
  }
  return pieces;
}

function shade(theme: Theme, light: number, fog: number): Rgb {
  const lit = mixColors(theme.shadow, theme.surface, light);
  return mixColors(lit, theme.background, 0.35 * fog);
}

/** Cosine between the triangle's normal, turned toward the viewer, and the light; at least 0. */
function facing(p: Float64Array, a: number, b: number, c: number): number {
  const side = (k: number, j: number): number => p[3 * k + j] - p[3 * a + j];
  const normal = [
    side(b, 1) * side(c, 2) - side(b, 2) * side(c, 1),
    side(b, 2) * side(c, 0) - side(b, 0) * side(c, 2),
    side(b, 0) * side(c, 1) - side(b, 1) * side(c, 0),
  ];
  const length = Math.hypot(...normal) || 1;
  const sign = normal[2] > 0 ? -1 : 1;
  const dot = normal[0] * LIGHT[0] + normal[1] * LIGHT[1] + normal[2] * LIGHT[2];
  return Math.max(0, (sign * dot) / length);
}

export interface View3dOptions extends ViewAngles {
  /** Scheme whose parts are connected. @default IBUG_68 for 68 landmarks, none (dots alone) for any other number */
  scheme?: LandmarkScheme;
  /** Side of the square picture in pixels. @default 480 */
  size?: number;
  /** Shade the surface between the landmarks (iBUG 68 only). @default true */
  surface?: boolean;
  /** [n, 3] Where the landmarks truly are, in the same unit: drawn red (class `truth`), the landmarks blue then. */
  truth?: Landmarks<3>;
  /** @default 'dark' */
  theme?: ThemeName;
  title?: string;
}

export const VIEW3D_DEFAULTS: Required<Omit<View3dOptions, 'scheme' | 'truth' | 'title'>> = {
  yaw: 35,
  pitch: -10,
  size: 480,
  surface: true,
  theme: 'dark',
};

/** One view of a sheet. */
export interface NamedView extends ViewAngles {
  readonly name: string;
}

/** Frontal, three-quarter, profile. */
export const SHEET_VIEWS: readonly NamedView[] = [
  { name: 'frontal', yaw: 0, pitch: 0 },
  { name: 'three-quarter', yaw: 45, pitch: 0 },
  { name: 'profile', yaw: 90, pitch: 0 },
];

/**
 * A parallel projection of 3D landmarks from a chosen direction: connected parts over a shaded surface, far
 * landmarks smaller and dimmer (class `landmark`, index in `data-landmark`). At yaw 0 and pitch 0 the picture shows x and y as they are.
 * @param landmarks [n, 3], voxface axes, any unit.
 * @throws RangeError on landmarks that are not 3D, empty, or not finite.
 * @example
 * ```js
 * import { MEAN_FACE_68 } from '@voxface/landmarks';
 * import { view3dSvg } from '@voxface/plots';
 *
 * const svg = view3dSvg(MEAN_FACE_68, { yaw: 45, surface: false });
 * console.log(svg.match(/data-landmark/g).length); // => 68
 * ```
 */
export function view3dSvg(landmarks: Landmarks<3>, options: View3dOptions = {}): string {
  const settings = withDefaults(VIEW3D_DEFAULTS, options);
  const { size } = settings;
  return svgDocument(
    [0, 0, size, size],
    size,
    ground(size, size, settings.theme) + drawView3d(landmarks, settings),
    settings.title,
  );
}

/**
 * Several views side by side, by default frontal, three-quarter and profile; each `size` pixels wide.
 * @throws RangeError when `views` is empty, and as `view3dSvg` does.
 */
export function view3dSheetSvg(
  landmarks: Landmarks<3>,
  options: View3dOptions & { views?: readonly NamedView[] } = {},
): string {
  const { views = SHEET_VIEWS, ...rest } = options;
  if (views.length === 0) throw new RangeError('view3dSheetSvg: expected at least one view, got none');
  const settings = withDefaults(VIEW3D_DEFAULTS, rest);
  const { size, theme } = settings;
  const caption = size * 0.045;
  const panels = views.map((view, i) => {
    const drawing = drawView3d(landmarks, { ...settings, yaw: view.yaw ?? 0, pitch: view.pitch ?? 0 });
    const name = svgElement(
      'text',
      {
        x: size / 2,
        y: size - caption * 0.7,
        'font-size': caption,
        'text-anchor': 'middle',
        fill: toHex(themeOf(theme).text),
      },
      escapeXml(view.name),
    );
    return svgElement('g', { transform: `translate(${i * size} 0)` }, drawing + name);
  });
  const width = size * views.length;
  return svgDocument(
    [0, 0, width, size],
    width,
    ground(width, size, theme) + panels.join(''),
    settings.title,
  );
}

function ground(width: number, height: number, theme: ThemeName): string {
  return svgElement('rect', { width, height, fill: toHex(themeOf(theme).background) });
}

/** Direction of a 3D view, in degrees. The head is turned, the viewer stays. */
export interface ViewAngles {
  /** Right-positive: turns the face toward the right side of the picture. @default 0; 35 in 3D views and clouds */
  yaw?: number;
  /**
   * Up-positive: turns the face toward the upper side of the picture, after the yaw.
   * @default 0; -10 in 3D views, -14 in clouds
   */
  pitch?: number;
}

export const VIEW_DEFAULTS: Required<ViewAngles> = { yaw: 0, pitch: 0 };

/** Rotation matrix [3, 3], row-major, of voxface axes (x right, y down, z away from the viewer): Rx(pitch) Ry(yaw). */
export function viewRotation(angles: ViewAngles = {}): number[] {
  const { yaw, pitch } = withDefaults(VIEW_DEFAULTS, angles);
  if (!Number.isFinite(yaw + pitch)) {
    throw new RangeError(`viewRotation: angles must be finite degrees, got yaw ${yaw}, pitch ${pitch}`);
  }
  const [cy, sy] = [Math.cos((yaw * Math.PI) / 180), Math.sin((yaw * Math.PI) / 180)];
  const [cp, sp] = [Math.cos((pitch * Math.PI) / 180), Math.sin((pitch * Math.PI) / 180)];
  return [cy, 0, -sy, sp * sy, cp, sp * cy, cp * sy, -sp, cp * cy];
}

/** Points [n, 3] times the rotation, about `center` [3]; the centre becomes the origin. */
export function rotatePoints(
  points: ArrayLike<number>,
  rotation: ArrayLike<number>,
  center: ArrayLike<number>,
): Float64Array {
  const out = new Float64Array(points.length);
  for (let i = 0; i < points.length; i += 3) {
    const x = points[i] - center[0];
    const y = points[i + 1] - center[1];
    const z = points[i + 2] - center[2];
    for (let r = 0; r < 3; r++) {
      out[i + r] = rotation[3 * r] * x + rotation[3 * r + 1] * y + rotation[3 * r + 2] * z;
    }
  }
  return out;
}

/** Centre of the tight box around points [n, 3]. */
function boxCenter(points: ArrayLike<number>): [number, number, number] {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < points.length; i++) {
    low[i % 3] = Math.min(low[i % 3], points[i]);
    high[i % 3] = Math.max(high[i % 3], points[i]);
  }
  return [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2];
}
