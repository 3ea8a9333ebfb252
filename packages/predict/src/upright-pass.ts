import {
  type Affine,
  type Box,
  boxOf,
  countLandmarks,
  cropAffine,
  headRotation,
  type Landmarks,
  transformLandmarks,
} from '@voxface/landmarks';

/**
 * How far the head is turned in the picture's plane: the angle between the picture's vertical and the head's own axis as it is seen,
 * degrees in -180..180, clockwise on the screen. Unlike roll it is what a rotation of the picture undoes, whatever yaw and pitch.
 * 0 where the landmarks have no head axis (other than 68 or 66 points, or no face: all within a pixel, say).
 * @param landmarks [n, 3] image pixels.
 */
export function turnInPlane(landmarks: Landmarks<3>): number {
  const count = countLandmarks(landmarks);
  if (count !== 68 && count !== 66) return 0;
  const { width, height } = boxOf(landmarks);
  if (!(Math.max(width, height) > 1)) return 0;
  try {
    const [, x, , , y] = headRotation(landmarks);
    return (Math.atan2(-x, y) * 180) / Math.PI;
  } catch {
    return 0;
  }
}

/**
 * The crop in which a head turned by `turn` degrees stands upright: around the box of its landmarks in that frame, by the
 * rule of `cropAffine`.
 * @param landmarks [n, 3] image pixels.
 */
export function uprightCrop(landmarks: Landmarks<3>, turn: number): Affine {
  const radians = (turn * Math.PI) / 180;
  const [cos, sin] = [Math.cos(radians), Math.sin(radians)];
  const box = boxOf(transformLandmarks(landmarks, [cos, -sin, sin, cos, 0, 0]));
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const [centerX, centerY] = [cos * x - sin * y, sin * x + cos * y];
  // Landmarks that fell together are no face, and no error either: who reads them tells.
  const [width, height] = [Math.max(box.width, 1), Math.max(box.height, 1)];
  return cropAffine({ x: centerX - width / 2, y: centerY - height / 2, width, height }, { rotation: -turn });
}

/**
 * Detectors' boxes reach up to the forehead, so landmark boxes are made of them by moving them down by this share of their height
 * (`FACE_API_CALIBRATION`): of a turned head that was taken for an upright one, the other way would have been right.
 */
const FOREHEAD = 0.16;

/** The landmark box of a head turned by `to` degrees that a detector took for one turned by `from`. */
export function turnedBox({ x, y, width, height }: Box, from: number, to: number): Box {
  const [a, b] = [(from * Math.PI) / 180, (to * Math.PI) / 180];
  const shift = FOREHEAD * height;
  return {
    x: x + shift * (Math.sin(a) - Math.sin(b)),
    y: y + shift * (Math.cos(b) - Math.cos(a)),
    width,
    height,
  };
}

/** Of two directions in degrees, 0..180. */
export function angleBetween(a: number, b: number): number {
  return Math.abs(a - b - 360 * Math.round((a - b) / 360));
}
