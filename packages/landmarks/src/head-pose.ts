import { fitSimilarity } from './fit-similarity.ts';
import {
  checkLandmarks,
  countLandmarks,
  describeValue,
  type Landmarks,
  selectLandmarks,
} from './landmarks.ts';
import { MEAN_FACE_68 } from './mean-face.ts';

/** Head pose in degrees; all zero for a face that looks straight into the camera. */
export interface HeadPose {
  /** Positive when the subject is turned toward the right side of the picture. */
  readonly yaw: number;
  /** Positive when the subject looks up. */
  readonly pitch: number;
  /** Positive when the head is tilted clockwise on screen. */
  readonly roll: number;
}

/** Ear side of the jaw, brows, nose and eyes: what mouth and chin do not move. The same in the 66 points of 3DFAW. */
const RIGID_LANDMARKS = [0, 1, 2, 14, 15, 16, ...Array.from({ length: 31 }, (_, i) => i + 17)];
const RIGID_MEAN_FACE = selectLandmarks(MEAN_FACE_68, RIGID_LANDMARKS);
const DEGREES = 180 / Math.PI;

/**
 * Rotation that turns the frontal mean face into this one, by least squares over the 37 landmarks that expressions
 * move least.
 * @param landmarks [68 or 66, 3] in voxface axes, any unit.
 * @returns row-major [3, 3] in voxface axes (x right, y down, z away from the camera).
 * @throws RangeError for another number of landmarks, 2D landmarks, or points that all coincide.
 */
export function headRotation(landmarks: Landmarks<3>): readonly number[] {
  const count = countLandmarks(checkLandmarks(landmarks, 'headRotation'));
  if (landmarks.dims !== 3 || (count !== 68 && count !== 66)) {
    throw new RangeError(
      `headRotation: expected [68, 3] or [66, 3] landmarks, got [${count}, ${landmarks.dims}] (map them to ibug-68 first)`,
    );
  }
  const face = selectLandmarks(landmarks, RIGID_LANDMARKS);
  // Fitted from the face to the mean face so that a degenerate face is refused; the inverse rotation is the transpose.
  const [a, b, c, d, e, f, g, h, i] = fitSimilarity(face, RIGID_MEAN_FACE).rotation;
  return [a, d, g, b, e, h, c, f, i];
}

/**
 * Yaw, pitch and roll of a face from its 3D landmarks. The angles are those of AFLW2000-3D and 300W-LP, rotation =
 * X(-pitch) Y(-yaw) Z(roll), with the sign of yaw turned; yaw may pass 90 degrees, pitch may not. At a yaw of exactly 90 degrees pitch and roll are not separable (roll 0).
 * @param landmarks [68 or 66, 3] in voxface axes, any unit.
 * @throws RangeError as `headRotation`.
 * @example
 * ```js
 * import { headPose, MEAN_FACE_68 } from '@voxface/landmarks';
 *
 * const { yaw, pitch, roll } = headPose(MEAN_FACE_68);
 * console.log(Math.abs(yaw) < 1, Math.abs(pitch) < 1, Math.abs(roll) < 1); // => true true true
 * ```
 */
export function headPose(landmarks: Landmarks<3>): HeadPose {
  return poseOfRotation(headRotation(landmarks));
}

/**
 * The angles of a rotation matrix, row-major [3, 3] in voxface axes; see `headPose`. Of the two solutions the one with
 * |pitch| <= 90 is taken: a head that turns past profile keeps growing in yaw instead of tipping over.
 */
export function poseOfRotation(rotation: ArrayLike<number>): HeadPose {
  if (rotation?.length !== 9) {
    throw new TypeError(`poseOfRotation: expected nine numbers [3, 3], got ${describeValue(rotation)}`);
  }
  const cos = Math.hypot(rotation[0], rotation[1]);
  if (cos < 1e-6) {
    const sign = Math.sign(rotation[2]);
    return { yaw: -90 * sign, pitch: -Math.atan2(rotation[3] * sign, rotation[4]) * DEGREES, roll: 0 };
  }
  const side = rotation[8] < 0 ? -1 : 1;
  return {
    yaw: Math.atan2(-rotation[2], side * cos) * DEGREES,
    pitch: Math.atan2(side * rotation[5], side * rotation[8]) * DEGREES,
    roll: Math.atan2(-side * rotation[1], side * rotation[0]) * DEGREES,
  };
}

/** The rotation of a pose, row-major [3, 3] in voxface axes: the inverse of `poseOfRotation`. */
export function rotationOfPose(pose: HeadPose): Float64Array {
  const { yaw, pitch, roll } = pose ?? {};
  if (![yaw, pitch, roll].every(Number.isFinite)) {
    throw new TypeError(
      `rotationOfPose: expected { yaw, pitch, roll } in degrees, got ${JSON.stringify(pose)}`,
    );
  }
  const [cx, sx] = [Math.cos(-pitch / DEGREES), Math.sin(-pitch / DEGREES)];
  const [cy, sy] = [Math.cos(-yaw / DEGREES), Math.sin(-yaw / DEGREES)];
  const [cz, sz] = [Math.cos(roll / DEGREES), Math.sin(roll / DEGREES)];
  return Float64Array.of(
    cy * cz,
    -cy * sz,
    sy,
    cx * sz + sx * sy * cz,
    cx * cz - sx * sy * sz,
    -sx * cy,
    sx * sz - cx * sy * cz,
    sx * cz + cx * sy * sz,
    cx * cy,
  );
}
