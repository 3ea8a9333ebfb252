import {
  boxOf,
  centerDepth,
  type HeadPose,
  type Landmarks,
  type Pixels,
  rotationOfPose,
  withDefaults,
} from '@voxface/landmarks';
import type { FaceModel } from './face-model.ts';
import type { FaceFit } from './fit-face.ts';
import { createRaster, rasterize, samplePixels, softenEdges } from './raster.ts';
import { createRelief, type Relief } from './relief.ts';
import { type Matrix3, multiply3 } from './rotation.ts';

export interface ProfileFaceOptions {
  /** Side of the square output, pixels. @default 256 */
  size?: number;
  /** Side of the output over the longer side of the turned face's landmark box. @default 2 */
  margin?: number;
}

export const PROFILE_FACE_DEFAULTS: Required<ProfileFaceOptions> = { size: 256, margin: 2 };

/** A pose to turn to, degrees; what is left out stays as it is in the photo. */
export type ProfilePose = Partial<HeadPose>;

/** Beyond this the photo shows too little of what comes into view. */
const STEEPEST_PITCH = 60;

/** A face turned to another pose. */
export interface ProfiledFace {
  /** RGB [size, size, 3]. */
  readonly image: Pixels;
  /** [68, 3] pixels of `image`, z zero-mean. */
  readonly landmarks: Landmarks<3>;
  /** Degrees. */
  readonly pose: HeadPose;
}

const reliefs = new WeakMap<FaceFit, Relief>();

/**
 * Face profiling (Zhu et al., CVPR 2016): turns the head of a photo to another pose and renders it. The photo becomes
 * a relief at the fitted depth; head points turn rigidly, the background stays, hair wraps around the back of the
 * head, and what was hidden is filled by the stretched relief behind. The landmarks turn with the head. Nothing is random: the same input gives the same bytes. Looks right when |yaw| grows (a face already
 * turned to one side should be turned farther to that side).
 * @param fit of the face in `image`.
 * @param pose degrees; yaw within -90..90, pitch within -60..60.
 * @throws RangeError when an angle is outside its range or the output size is not a positive integer.
 * @example
 * ```js
 * import { open300w } from '@voxface/datasets/node';
 * import { fitFace, profileFace } from '@voxface/facefit';
 * import { openFaceModel } from '@voxface/facefit/node';
 *
 * const face = await openFaceModel('ict-facekit');
 * const { image, landmarks } = await (await open300w('300w/afw')).load(0);
 * const turned = profileFace(face, fitFace(face, landmarks), image, { yaw: 60 }, { size: 128 });
 * console.log(turned.image.width); // => 128
 * ```
 */
export function profileFace(
  model: FaceModel,
  fit: FaceFit,
  image: Pixels,
  pose: ProfilePose,
  options: ProfileFaceOptions = {},
): ProfiledFace {
  const { size, margin } = withDefaults(PROFILE_FACE_DEFAULTS, options);
  const goal = { ...fit.pose, ...pose };
  for (const [name, limit] of [
    ['yaw', 90],
    ['pitch', STEEPEST_PITCH],
    ['roll', 180],
  ] as const) {
    if (pose[name] !== undefined && !(Math.abs(pose[name]) <= limit)) {
      throw new RangeError(`profileFace: ${name} must be in -${limit}..${limit} degrees, got ${pose[name]}`);
    }
  }
  if (!(Number.isInteger(size) && size > 0)) {
    throw new RangeError(`profileFace: size must be a positive integer, got ${size}`);
  }
  let relief = reliefs.get(fit);
  if (!relief) {
    relief = createRelief(model, fit);
    reliefs.set(fit, relief);
  }
  const target = rotationOfPose(goal);
  const turned = turnLandmarks(fit, relief, target);
  const box = boxOf(turned);
  const side = margin * Math.max(box.width, box.height);
  const zoom = size / side;
  const left = box.x + box.width / 2 - side / 2;
  const top = box.y + box.height / 2 - side / 2;
  const points = turnRelief(fit, relief, target);
  for (let i = 0; i < points.length; i += 3) {
    points[i] = (points[i] - left) * zoom - 0.5;
    points[i + 1] = (points[i + 1] - top) * zoom - 0.5;
  }
  const raster = createRaster(size);
  rasterize(raster, points, relief.triangles, relief.source);
  const data = samplePixels(image, raster, 1 / zoom);
  softenEdges(data, raster, 0.1 * Math.max(box.width, box.height));
  const landmarks = Float32Array.from(turned.points);
  for (let i = 0; i < landmarks.length; i += 3) {
    landmarks[i] = (landmarks[i] - left) * zoom - 0.5;
    landmarks[i + 1] = (landmarks[i + 1] - top) * zoom - 0.5;
    landmarks[i + 2] *= zoom;
  }
  return {
    image: { data, width: size, height: size, channels: 3 },
    landmarks: centerDepth({ points: landmarks, dims: 3 }),
    pose: goal,
  };
}

/** Camera-to-camera rotation of the turn. */
function turnOf(fit: FaceFit, target: Matrix3): Matrix3 {
  const r = fit.rotation;
  return multiply3(target, [r[0], r[3], r[6], r[1], r[4], r[7], r[2], r[5], r[8]]);
}

function turnLandmarks(fit: FaceFit, relief: Relief, target: Matrix3): Landmarks<3> {
  const t = turnOf(fit, target);
  const { pivot } = relief;
  const points = Float32Array.from(fit.landmarks.points);
  for (let i = 0; i < points.length; i += 3) {
    const x = points[i] - pivot[0];
    const y = points[i + 1] - pivot[1];
    const z = points[i + 2] - pivot[2];
    points[i] = t[0] * x + t[1] * y + t[2] * z + pivot[0];
    points[i + 1] = t[3] * x + t[4] * y + t[5] * z + pivot[1];
    points[i + 2] = t[6] * x + t[7] * y + t[8] * z + pivot[2];
  }
  return { points, dims: 3 };
}

/** The relief's points after the turn [n, 3], photo pixels. */
function turnRelief(fit: FaceFit, relief: Relief, target: Matrix3): Float32Array {
  const t = turnOf(fit, target);
  const { points, share, wrap, pivot, backDepth } = relief;
  const r = fit.rotation;
  // The back of the head only comes into view as the head turns.
  const turnedBy = Math.acos(Math.min(1, Math.max(-1, (t[0] + t[4] + t[8] - 1) / 2)));
  const visible = Math.min(1, turnedBy / 0.9);
  const turned = new Float32Array(points.length);
  for (let i = 0; i < share.length; i++) {
    const at = 3 * i;
    let [x, y, z] = [points[at], points[at + 1], points[at + 2]];
    const [homeX, homeY, homeZ] = [x, y, z];
    if (wrap[i] > 0 && share[i] > 0) {
      const angle = Math.max(0, 1.5 * wrap[i] - 0.5) * visible * 1.45;
      // In head axes: toward the midline and backward, along the back of an ellipse.
      const headX = r[0] * x + r[3] * y + r[6] * z;
      const shift = -0.8 * headX * visible * Math.min(1, 3 * wrap[i]);
      const back = backDepth * Math.sin(angle);
      x += r[0] * shift + r[2] * back;
      y += r[3] * shift + r[5] * back;
      z += r[6] * shift + r[8] * back;
    }
    const s = share[i];
    turned[at] = s * (t[0] * x + t[1] * y + t[2] * z) + (1 - s) * homeX + pivot[0];
    turned[at + 1] = s * (t[3] * x + t[4] * y + t[5] * z) + (1 - s) * homeY + pivot[1];
    // The background lies behind the head, whatever the turn.
    turned[at + 2] = s * (t[6] * x + t[7] * y + t[8] * z) + (1 - s) * (homeZ + 4 * backDepth);
  }
  return turned;
}
