/** Head pose in degrees, see `poseOfRotation`. */
export interface FacePose {
  /** Positive: the subject is turned toward the right side of the picture. */
  readonly yaw: number;
  /** Positive: the subject looks up. */
  readonly pitch: number;
  /** Positive: the head is tilted clockwise on the screen. */
  readonly roll: number;
}

/** Row-major 3 x 3 matrix [9]. */
export type Matrix3 = Float64Array;

const DEGREES = 180 / Math.PI;

/**
 * Rotation from head axes (x to the picture's right, y down, z into the head) to camera axes of the same sense:
 * R = Rx(pitch) Ry(yaw) Rz(roll), the factor order of 300W-LP and AFLW2000-3D. Their `Pose_Para` holds
 * (pitch, yaw, roll) in radians is our (pitch, -yaw, roll).
 * @param pose degrees.
 */
export function rotationOfPose(pose: FacePose): Matrix3 {
  const p = pose.pitch / DEGREES;
  const y = -pose.yaw / DEGREES;
  const r = pose.roll / DEGREES;
  const [cp, sp, cy, sy, cr, sr] = [
    Math.cos(p),
    Math.sin(p),
    Math.cos(y),
    Math.sin(y),
    Math.cos(r),
    Math.sin(r),
  ];
  const rx = Float64Array.of(1, 0, 0, 0, cp, sp, 0, -sp, cp);
  const ry = Float64Array.of(cy, 0, sy, 0, 1, 0, -sy, 0, cy);
  const rz = Float64Array.of(cr, -sr, 0, sr, cr, 0, 0, 0, 1);
  return multiply3(rx, multiply3(ry, rz));
}

/**
 * The angles of `rotationOfPose`; yaw and roll in -180..180, the branch with |pitch| <= 90 is taken. A head seen past
 * 90 degrees keeps growing in yaw instead of tipping over.
 */
export function poseOfRotation(rotation: ArrayLike<number>): FacePose {
  // First row is (cy cr, -cy sr, sy), last column is (sy, sp cy, cp cy) with y = -yaw.
  const sine = Math.min(1, Math.max(-1, rotation[2]));
  let cosine = Math.sqrt(Math.max(0, 1 - sine * sine));
  if (rotation[8] < 0) cosine = -cosine;
  const yaw = -Math.atan2(sine, cosine) * DEGREES;
  if (Math.abs(cosine) < 1e-7) {
    // Seen exactly from the side: pitch and roll turn about the same axis; give all of it to roll.
    return { yaw, pitch: 0, roll: Math.atan2(rotation[3], rotation[4]) * DEGREES };
  }
  return {
    yaw,
    pitch: Math.atan2(rotation[5] / cosine, rotation[8] / cosine) * DEGREES,
    roll: Math.atan2(-rotation[1] / cosine, rotation[0] / cosine) * DEGREES,
  };
}

/** Matrix product of two row-major 3 x 3 matrices. */
export function multiply3(a: ArrayLike<number>, b: ArrayLike<number>): Matrix3 {
  const product = new Float64Array(9);
  for (let i = 0; i < 3; i++) {
    for (let j = 0; j < 3; j++) {
      product[3 * i + j] = a[3 * i] * b[j] + a[3 * i + 1] * b[3 + j] + a[3 * i + 2] * b[6 + j];
    }
  }
  return product;
}

/** Rodrigues' formula: the rotation by |axis| radians about `axis` [3]. */
export function rotationOfVector(axis: ArrayLike<number>): Matrix3 {
  const angle = Math.hypot(axis[0], axis[1], axis[2]);
  const a = angle < 1e-8 ? 1 - (angle * angle) / 6 : Math.sin(angle) / angle;
  const b = angle < 1e-8 ? 0.5 - (angle * angle) / 24 : (1 - Math.cos(angle)) / (angle * angle);
  const [x, y, z] = [axis[0], axis[1], axis[2]];
  return Float64Array.of(
    1 - b * (y * y + z * z),
    b * x * y - a * z,
    b * x * z + a * y,
    b * x * y + a * z,
    1 - b * (x * x + z * z),
    b * y * z - a * x,
    b * x * z - a * y,
    b * y * z + a * x,
    1 - b * (x * x + y * y),
  );
}
