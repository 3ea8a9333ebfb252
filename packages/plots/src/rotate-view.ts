/** Direction of a 3D view, in degrees. The head is turned, the viewer stays. */
export interface ViewAngles {
  /** Right-positive: turns the face toward the right side of the picture. */
  yaw?: number;
  /** Up-positive: turns the face toward the upper side of the picture, after the yaw. */
  pitch?: number;
}

export const VIEW_DEFAULTS: Required<ViewAngles> = { yaw: 0, pitch: 0 };

/** Rotation matrix [3, 3], row-major, of house axes (x right, y down, z away from the viewer): Rx(pitch) Ry(yaw). */
export function viewRotation(angles: ViewAngles = {}): number[] {
  const { yaw, pitch } = { ...VIEW_DEFAULTS, ...angles };
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
export function boxCenter(points: ArrayLike<number>): [number, number, number] {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (let i = 0; i < points.length; i++) {
    low[i % 3] = Math.min(low[i % 3], points[i]);
    high[i % 3] = Math.max(high[i % 3], points[i]);
  }
  return [(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2];
}
