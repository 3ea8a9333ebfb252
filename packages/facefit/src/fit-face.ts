import {
  boxOf,
  centerDepth,
  type HeadPose,
  type Landmarks,
  poseOfRotation,
  withDefaults,
} from '@voxface/landmarks';
import type { FaceModel } from './face-model.ts';
import {
  createPulls,
  errorOf,
  type FitBasis,
  type FitState,
  fitBasis,
  type JawLine,
  type Pull,
  shapeOfWeights,
  slideContour,
  stepFit,
  weighPulls,
} from './fit-state.ts';
import type { Matrix3 } from './rotation.ts';
import { fitWeakPerspective } from './weak-perspective.ts';

export interface FitFaceOptions {
  /**
   * What jaw landmarks 0..16 mark. `contour`: the visible contour, as human annotators of 300W do; `vertices`: the
   * true 3D jaw line, as in 300W-LP and AFLW2000-3D; `ignore`: leave them out.
   * @default 'contour'
   */
  jaw?: JawLine;
  /** Identity modes to fit, from the first. @default 50 */
  identityModes?: number;
  /**
   * Standard deviation of the annotation of landmarks 17..67, as a share of sqrt(width x height) of the box.
   * @default 0.012
   */
  noise?: number;
  /** The same for jaw landmarks, across and along the jaw line. @default [0.01, 0.02] */
  jawNoise?: readonly [across: number, along: number];
  /** Errors beyond this many standard deviations lose their influence (Geman-McClure). @default 4 */
  outlier?: number;
  /** @default 12 */
  iterations?: number;
  /** [68] 0: the landmark was not annotated, or its place is a guess; the fit completes it. @default all ones */
  visible?: ArrayLike<number>;
}

export const FIT_FACE_DEFAULTS: Required<Omit<FitFaceOptions, 'visible'>> = {
  jaw: 'contour',
  identityModes: 50,
  noise: 0.012,
  jawNoise: [0.01, 0.02],
  outlier: 4,
  iterations: 12,
};

/** Fewer annotated points than this do not fix a head. */
const FEWEST_POINTS = 12;

/** A morphable face laid over 2D landmarks. */
export interface FaceFit {
  /**
   * [68, 3] image pixels, z zero-mean (+z away from the camera). x, y of 17..67 are the given ones (those that were not
   * annotated are the model's); the jaw is the projection of the true 3D jaw line.
   */
  readonly landmarks: Landmarks<3>;
  /** [68, 3] the fitted model's own landmarks in the same frame. */
  readonly modelLandmarks: Landmarks<3>;
  readonly pose: HeadPose;
  /** [identity count] standard deviations; modes that were not fitted are 0. */
  readonly identity: Float32Array;
  /** [expression count]. */
  readonly expression: Float32Array;
  /** Row-major [9], head axes to camera axes. */
  readonly rotation: Matrix3;
  /** Pixels per model unit. */
  readonly scale: number;
  /** Camera: pixel = scale (R X).xy + translation. */
  readonly translation: readonly [number, number];
  /** Model z of the depth that is 0 in `landmarks`, in pixels: z = scale (R X).z - depthOrigin. */
  readonly depthOrigin: number;
  /** Mean distance over sqrt(width x height) of the landmark box: landmarks 17..67, and jaw against its contour; NaN without any. */
  readonly error: { readonly inner: number; readonly jaw: number };
}

/**
 * Fits identity, expression and weak-perspective pose to 68 2D landmarks (iBUG order): maximum a posteriori under
 * Gaussian priors on the weights, bounded weights, Geman-McClure errors. The camera starts from the mean face; then
 * pose and weights move together by damped Gauss-Newton steps. Between steps each jaw landmark takes the vertex of
 * its contour path that sticks out farthest across the annotated jaw line.
 * @param landmarks [68, 2], pixels (a third coordinate is ignored).
 * @throws RangeError when there are not 68 landmarks, annotated ones are not finite, fewer than 12 are annotated, or
 * their box is empty.
 * @example
 * ```js
 * import { open300w } from '@voxface/datasets/node';
 * import { fitFace } from '@voxface/facefit';
 * import { openFaceModel } from '@voxface/facefit/node';
 *
 * const face = await openFaceModel('ict-facekit');
 * const { landmarks } = await (await open300w('300w/afw')).load(0);
 * const fit = fitFace(face, landmarks);
 * console.log(fit.landmarks.points.length); // => 204
 * ```
 */
export function fitFace(model: FaceModel, landmarks: Landmarks, options: FitFaceOptions = {}): FaceFit {
  const settings = withDefaults(FIT_FACE_DEFAULTS, options);
  const { points, dims } = landmarks;
  if (points.length !== 68 * dims) {
    throw new RangeError(
      `fitFace: expected 68 landmarks in iBUG order, got ${points.length / dims} (pick or convert the scheme first)`,
    );
  }
  const given = Array.from(
    { length: 68 },
    (_, i) => settings.visible === undefined || settings.visible[i] > 0,
  );
  const wrong = given.findIndex(
    (isGiven, i) => isGiven && !(Number.isFinite(points[dims * i]) && Number.isFinite(points[dims * i + 1])),
  );
  if (wrong >= 0) {
    throw new RangeError(
      `fitFace: annotated landmarks must be finite, got ${points[dims * wrong]}, ${points[dims * wrong + 1]} for landmark ${wrong} (say which are missing in \`visible\`)`,
    );
  }
  const known = given.flatMap((isGiven, i) => (isGiven ? [points[dims * i], points[dims * i + 1]] : []));
  if (known.length < 2 * FEWEST_POINTS) {
    throw new RangeError(
      `fitFace: expected at least ${FEWEST_POINTS} annotated landmarks, got ${known.length / 2} (leave this face out)`,
    );
  }
  const box = boxOf({ points: Float32Array.from(known), dims: 2 });
  const size = Math.sqrt(box.width * box.height);
  if (!(size > 0)) {
    throw new RangeError(`fitFace: landmarks must span a box, got ${box.width} x ${box.height} pixels`);
  }
  const centerX = box.x + box.width / 2;
  const centerY = box.y + box.height / 2;
  const targets = new Float64Array(136);
  for (let i = 0; i < 68; i++) {
    if (!given[i]) continue;
    targets[2 * i] = (points[dims * i] - centerX) / size;
    targets[2 * i + 1] = (points[dims * i + 1] - centerY) / size;
  }
  const basis = fitBasis(model, settings.identityModes);
  const state = startFit(basis, targets, given, settings.jaw);
  const shape = new Float64Array(basis.mean.length);
  const pulls = createPulls(basis, targets, given, settings.jaw);
  for (let iteration = 0; iteration < settings.iterations; iteration++) {
    shapeOfWeights(basis, state.weights, shape);
    if (settings.jaw === 'contour') slideContour(basis, state, shape, pulls);
    weighPulls(state, shape, pulls, settings, iteration < 3 ? Infinity : settings.outlier);
    const change = stepFit(state, basis, shape, pulls, 1e-3);
    if (iteration > 5 && change < 1e-3) break;
  }
  shapeOfWeights(basis, state.weights, shape);
  return finish(model, basis, state, shape, pulls, landmarks, given, { size, centerX, centerY });
}

function startFit(basis: FitBasis, targets: Float64Array, given: readonly boolean[], jaw: JawLine): FitState {
  const mean = new Float64Array(68 * 3);
  const weights = new Float64Array(68).fill(1);
  basis.landmarkRows.forEach((row, i) => {
    for (let axis = 0; axis < 3; axis++) mean[3 * i + axis] = basis.mean[3 * row + axis];
    if (i < 17) weights[i] = jaw === 'vertices' ? 1 : jaw === 'contour' ? 0.2 : 0;
    if (!given[i]) weights[i] = 0;
  });
  const camera = fitWeakPerspective(mean, targets, weights);
  return {
    rotation: camera.rotation,
    scale: camera.scale,
    translation: [camera.translation[0], camera.translation[1]],
    weights: new Float64Array(basis.modes),
  };
}

function finish(
  model: FaceModel,
  basis: FitBasis,
  state: FitState,
  shape: Float64Array,
  pulls: Pull[],
  annotated: Landmarks,
  given: readonly boolean[],
  frame: { size: number; centerX: number; centerY: number },
): FaceFit {
  const { rotation: r } = state;
  const scale = state.scale * frame.size;
  const translation: [number, number] = [
    state.translation[0] * frame.size + frame.centerX,
    state.translation[1] * frame.size + frame.centerY,
  ];
  const projected = new Float32Array(68 * 3);
  let depthOrigin = 0;
  basis.landmarkRows.forEach((row, i) => {
    const [x, y, z] = [shape[3 * row], shape[3 * row + 1], shape[3 * row + 2]];
    projected[3 * i] = scale * (r[0] * x + r[1] * y + r[2] * z) + translation[0];
    projected[3 * i + 1] = scale * (r[3] * x + r[4] * y + r[5] * z) + translation[1];
    projected[3 * i + 2] = scale * (r[6] * x + r[7] * y + r[8] * z);
    depthOrigin += projected[3 * i + 2] / 68;
  });
  const points = Float32Array.from(projected);
  for (let i = 17; i < 68; i++) {
    if (!given[i]) continue;
    points[3 * i] = annotated.points[annotated.dims * i];
    points[3 * i + 1] = annotated.points[annotated.dims * i + 1];
  }
  const errors: Record<'inner' | 'jaw', number[]> = { inner: [], jaw: [] };
  for (const pull of pulls) {
    errors[pull.landmark < 17 ? 'jaw' : 'inner'].push(Math.hypot(...errorOf(state, shape, pull)));
  }
  const identity = new Float32Array(model.identity.count);
  identity.set(state.weights.subarray(0, basis.identityModes));
  const expression = new Float32Array(model.expression.count);
  basis.expressionIndex.forEach((index, i) => {
    expression[index] = state.weights[basis.identityModes + i];
  });
  return {
    landmarks: centerDepth({ points, dims: 3 }),
    modelLandmarks: centerDepth({ points: projected, dims: 3 }),
    pose: poseOfRotation(r),
    identity,
    expression,
    rotation: r,
    scale,
    translation,
    depthOrigin,
    error: { inner: meanOf(errors.inner), jaw: meanOf(errors.jaw) },
  };
}

/** NaN for an empty list. */
function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
