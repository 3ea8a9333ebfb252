import { centerDepth, type Landmarks } from '@voxface/landmarks';
import { type MatFile, matVariable } from './parse-mat.ts';

/**
 * What the centre of the top-left pixel is called in the labels of 300W-LP and AFLW2000-3D, which come from one program: they count from
 * the corner of the picture, as far as can be seen. Taken as 1-based, AFLW2000-3D's points lie 0.3 to 0.8 px (x) and 0.4 to 0.5 px (y)
 * up-left of the pictures' irises and lips and of people's points, taken as 0-based about as far down-right
 * (`bench/annotation-offset.ts`).
 */
export const CORNER_ORIGIN = 0.5;

/** Parameters of the 3D morphable face that come with 300W-LP and AFLW2000-3D. */
export interface FaceParameters {
  /** pitch, yaw, roll (radians, signs of the files), tx, ty, tz (pixels, y up), scale f. */
  readonly pose: Float64Array;
  /** [199] shape. */
  readonly shape: Float64Array;
  /** [29] expression. */
  readonly expression: Float64Array;
}

/**
 * The 68 landmark rows of the morphable model those parameters belong to (Basel Face Model 2009 with FaceWarehouse
 * expressions). Licensed: the user supplies it.
 */
export interface LandmarkBasis {
  /** [204] x0, y0, z0, x1, ... of the mean face (mean shape plus mean expression). */
  readonly mean: ArrayLike<number>;
  /** [204, shapeCount] row-major. */
  readonly shape: ArrayLike<number>;
  /** [204, expressionCount] row-major. */
  readonly expression: ArrayLike<number>;
}

/** Reads `Pose_Para`, `Shape_Para` and `Exp_Para`. */
export function readFaceParameters(mat: MatFile, where: string): FaceParameters {
  return {
    pose: matVariable(mat, 'Pose_Para', where, [1, 7]).data,
    shape: matVariable(mat, 'Shape_Para', where, [-1, 1]).data,
    expression: matVariable(mat, 'Exp_Para', where, [-1, 1]).data,
  };
}

/**
 * Yaw of the files to ours: degrees, positive when the subject is turned toward the right side of the picture.
 * @internal
 */
export function yawOfParameters({ pose }: FaceParameters): number {
  return (-pose[1] * 180) / Math.PI;
}

/** Pitch (positive: looks up) and roll (positive: clockwise on the screen) of the files, degrees; the signs are ours. */
export function anglesOfParameters({ pose }: FaceParameters): { pitch: number; roll: number } {
  return { pitch: (pose[0] * 180) / Math.PI, roll: (pose[2] * 180) / Math.PI };
}

/**
 * Rotation of the files, row-major [3, 3]: Rx(pitch) Ry(yaw) Rz(roll) with Rx = [1 0 0; 0 c s; 0 -s c],
 * Ry = [c 0 -s; 0 1 0; s 0 c], Rz = [c s 0; -s c 0; 0 0 1] (x right, y up, z toward the camera).
 */
export function rotationOfParameters({ pose }: FaceParameters): number[] {
  const [cp, cy, cr] = [Math.cos(pose[0]), Math.cos(pose[1]), Math.cos(pose[2])];
  const [sp, sy, sr] = [Math.sin(pose[0]), Math.sin(pose[1]), Math.sin(pose[2])];
  return [
    cy * cr,
    cy * sr,
    -sy,
    sp * sy * cr - cp * sr,
    sp * sy * sr + cp * cr,
    sp * cy,
    cp * sy * cr + sp * sr,
    cp * sy * sr - sp * cr,
    cp * cy,
  ];
}

/**
 * Rebuilds the 68 landmarks from parameters: f R (mean + shape s + expression e) + T, then y = height + 1 - y, then
 * 1-based to 0-based and the sign of z turned.
 * @param imageHeight pixels of the picture the parameters belong to, 450 in both datasets.
 * @returns [68, 3] in voxface axes, pixels, z with zero mean.
 * @throws RangeError when the basis does not fit the parameters.
 */
export function rebuildLandmarks(
  parameters: FaceParameters,
  basis: LandmarkBasis,
  imageHeight: number,
): Landmarks<3> {
  checkBasis(basis);
  const rows = basis.mean.length;
  const model = Float64Array.from(basis.mean);
  addModes(model, basis.shape, parameters.shape, 'shape');
  addModes(model, basis.expression, parameters.expression, 'expression');
  const r = rotationOfParameters(parameters);
  const [, , , tx, ty, tz, f] = parameters.pose;
  const points = new Float32Array(rows);
  for (let i = 0; i < rows; i += 3) {
    const [x, y, z] = [model[i], model[i + 1], model[i + 2]];
    points[i] = f * (r[0] * x + r[1] * y + r[2] * z) + tx - CORNER_ORIGIN;
    points[i + 1] = imageHeight + 1 - CORNER_ORIGIN - (f * (r[3] * x + r[4] * y + r[5] * z) + ty);
    points[i + 2] = -(f * (r[6] * x + r[7] * y + r[8] * z) + tz);
  }
  return centerDepth({ points, dims: 3 });
}

function checkBasis({ mean }: LandmarkBasis): void {
  if (mean.length !== 204) {
    throw new RangeError(
      `rebuildLandmarks: the basis must have 204 rows (x, y, z of 68 landmarks), got ${mean.length} (pick the landmark rows of the model)`,
    );
  }
}

function addModes(model: Float64Array, modes: ArrayLike<number>, weights: Float64Array, name: string): void {
  const count = modes.length / model.length;
  if (!Number.isInteger(count) || count > weights.length) {
    throw new RangeError(
      `rebuildLandmarks: the ${name} basis must be [204, up to ${weights.length}], got ${modes.length} numbers`,
    );
  }
  for (let row = 0; row < model.length; row++) {
    for (let k = 0; k < count; k++) model[row] += modes[row * count + k] * weights[k];
  }
}
