import { withDefaults } from '@voxface/landmarks';
import {
  CLOUD_DEFAULTS,
  type CloudOptions,
  mixColors,
  type Rgb,
  sampleCloud,
  type VolumeShape,
} from '@voxface/volume';
import { formatNumber, svgDocument, svgElement, type Theme, type ThemeName, themeOf, toHex } from './svg.ts';
import { rotatePoints, type ViewAngles, viewRotation } from './view3d.ts';

export interface VolumeCloudOptions extends CloudOptions, ViewAngles {
  /** Side of the square picture in pixels. @default 480 */
  size?: number;
  /** Draw the edges of the volume. @default true */
  cage?: boolean;
  /** @default 'dark' */
  theme?: ThemeName;
  title?: string;
}

export const VOLUME_CLOUD_DEFAULTS: Required<Omit<VolumeCloudOptions, 'title'>> = {
  ...CLOUD_DEFAULTS,
  yaw: 35,
  pitch: -14,
  size: 480,
  cage: true,
  theme: 'dark',
};

/**
 * A semantic volume as a coloured cloud of points, see `sampleCloud`, with the edges of the crop's cube.
 * @param volume [h, w, d, c], c fastest.
 * @throws RangeError as `sampleCloud` does.
 */
export function volumeCloudSvg(
  volume: Float32Array,
  shape: VolumeShape,
  options: VolumeCloudOptions = {},
): string {
  const settings = withDefaults(VOLUME_CLOUD_DEFAULTS, options);
  const { size } = settings;
  if (!(size > 0)) throw new RangeError(`volumeCloudSvg: size must be positive, got ${size}`);
  const theme = themeOf(settings.theme);
  const cloud = sampleCloud(volume, shape, settings);
  const rotation = viewRotation(settings);
  const center = [0.5, 0.5, 0];
  const positions = rotatePoints(cloud.positions, rotation, center);
  const scale = size * 0.62;
  const order = Array.from(cloud.density, (_, i) => i).sort(
    (a, b) => positions[3 * b + 2] - positions[3 * a + 2],
  );
  let dots = '';
  for (const i of order) {
    const color: Rgb = [cloud.colors[3 * i], cloud.colors[3 * i + 1], cloud.colors[3 * i + 2]];
    const fog = Math.max(0, Math.min(1, 0.5 + positions[3 * i + 2] / 1.4));
    dots += svgElement('circle', {
      cx: size / 2 + positions[3 * i] * scale,
      cy: size / 2 + positions[3 * i + 1] * scale,
      r: (size / 480) * (1.9 - 0.9 * fog) * (0.6 + 0.6 * Math.sqrt(cloud.density[i])),
      fill: toHex(mixColors(color, theme.background, 0.5 * fog)),
    });
  }
  const cage = settings.cage ? drawCage(rotation, size, scale, theme) : { behind: '', before: '' };
  const ground = svgElement('rect', { width: size, height: size, fill: toHex(theme.background) });
  const cloudGroup = svgElement('g', { class: 'cloud', 'fill-opacity': 0.8 }, dots);
  return svgDocument(
    [0, 0, size, size],
    size,
    ground + cage.behind + cloudGroup + cage.before,
    settings.title,
  );
}

/** The twelve edges of the crop's cube: those at the farthest corner behind the cloud, the others before it. */
function drawCage(rotation: number[], size: number, scale: number, theme: Theme) {
  const corners = Array.from({ length: 8 }, (_, k) => [
    (k & 1) - 0.5,
    ((k >> 1) & 1) - 0.5,
    (k >> 2) - 0.5,
  ]).flat();
  const turned = rotatePoints(corners, rotation, [0, 0, 0]);
  const place = (k: number): string =>
    `${formatNumber(size / 2 + turned[3 * k] * scale)} ${formatNumber(size / 2 + turned[3 * k + 1] * scale)}`;
  let farthest = 0;
  for (let k = 1; k < 8; k++) if (turned[3 * k + 2] > turned[3 * farthest + 2]) farthest = k;
  const parts = { behind: '', before: '' };
  for (let k = 0; k < 8; k++) {
    for (const bit of [1, 2, 4]) {
      if (k & bit) continue;
      const behind = k === farthest || (k | bit) === farthest;
      parts[behind ? 'behind' : 'before'] += svgElement('path', {
        d: `M${place(k)}L${place(k | bit)}`,
        stroke: toHex(theme.lines),
        'stroke-width': size / 480,
        'stroke-opacity': behind ? 0.9 : 0.4,
      });
    }
  }
  return parts;
}
