import { IBUG_68, type Landmarks } from '@voxface/landmarks';
import { checkLandmarks } from './check-landmarks.ts';
import { landmarkColor, mixColors, type Rgb, toHex } from './color.ts';
import { connectParts, schemeFor } from './parts.ts';
import { boxCenter, rotatePoints, viewRotation } from './rotate-view.ts';
import { IBUG_68_TRIANGLES } from './surfaces/ibug-68.ts';
import { formatNumber, svgElement } from './svg.ts';
import { type Theme, themeOf } from './theme.ts';
import type { VIEW3D_DEFAULTS, View3dOptions } from './view3d-svg.ts';

/** Unit vector toward the light: upper left, in front. */
const LIGHT = [-0.38, -0.55, -0.74];

/** A piece of the drawing with the depth that it is painted at. */
interface Piece {
  readonly depth: number;
  readonly svg: string;
}

/** The drawing of one view inside a square of `size` pixels, far pieces first. */
export function drawView3d(
  landmarks: Landmarks<3>,
  settings: typeof VIEW3D_DEFAULTS & View3dOptions,
): string {
  if (landmarks.dims !== 3) {
    throw new RangeError(`view3dSvg: expected 3D landmarks, got dims ${landmarks.dims} (use overlaySvg)`);
  }
  if (!(settings.size > 0)) throw new RangeError(`view3dSvg: size must be positive, got ${settings.size}`);
  const count = checkLandmarks('view3dSvg', landmarks);
  const scheme = schemeFor('view3dSvg', count, settings.scheme, IBUG_68);
  const theme = themeOf(settings.theme);
  const center = boxCenter(landmarks.points);
  const points = rotatePoints(landmarks.points, viewRotation(settings), center);
  const { scale, reach } = fitScale(landmarks.points, center, settings.size);
  const place = (i: number): string =>
    `${formatNumber(settings.size / 2 + points[3 * i] * scale)} ${formatNumber(settings.size / 2 + points[3 * i + 1] * scale)}`;
  /** 0 nearest .. 1 farthest. */
  const fog = (z: number): number => Math.max(0, Math.min(1, 0.5 + z / (2 * reach)));
  const pieces: Piece[] = [];
  if (settings.surface && scheme?.name === IBUG_68.name) {
    pieces.push(...drawSurface(points, place, theme, fog));
  }
  const unit = settings.size / 100;
  for (const [a, b] of scheme ? connectParts(scheme) : []) {
    const z = (points[3 * a + 2] + points[3 * b + 2]) / 2;
    const hue = mixColors(landmarkColor(a, count), landmarkColor(b, count), Math.abs(a - b) === 1 ? 0.5 : 0);
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
        class: 'landmark',
        'data-landmark': i,
        cx: settings.size / 2 + points[3 * i] * scale,
        cy: settings.size / 2 + points[3 * i + 1] * scale,
        r: unit * (1.15 - 0.5 * fog(z)),
        fill: toHex(mixColors(landmarkColor(i, count), theme.background, 0.45 * fog(z))),
        stroke: toHex(theme.outline),
        'stroke-width': unit * 0.18,
      }),
    });
  }
  pieces.sort((a, b) => b.depth - a.depth);
  return svgElement('g', { class: 'view3d' }, pieces.map((p) => p.svg).join(''));
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
