import type { LandmarkScheme, Landmarks } from '@voxface/landmarks';
import { toHex } from './color.ts';
import { drawView3d } from './draw-view3d.ts';
import type { ViewAngles } from './rotate-view.ts';
import { escapeXml, svgDocument, svgElement } from './svg.ts';
import { type ThemeName, themeOf } from './theme.ts';

export interface View3dOptions extends ViewAngles {
  /** Scheme whose parts are connected; by default iBUG 68 for 68 landmarks and dots alone for any other number. */
  scheme?: LandmarkScheme;
  /** Side of the square picture in pixels. */
  size?: number;
  /** Shade the surface between the landmarks (iBUG 68 only). */
  surface?: boolean;
  theme?: ThemeName;
  title?: string;
}

export const VIEW3D_DEFAULTS: Required<Omit<View3dOptions, 'scheme' | 'title'>> = {
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
 * @param landmarks [n, 3], house axes, any unit.
 * @throws RangeError on landmarks that are not 3D, empty, or not finite.
 */
export function view3dSvg(landmarks: Landmarks<3>, options: View3dOptions = {}): string {
  const settings = { ...VIEW3D_DEFAULTS, ...options };
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
  const settings = { ...VIEW3D_DEFAULTS, ...rest };
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
