import type { Annotation, Dataset, Sample } from '@voxface/datasets';
import {
  applySimilarity,
  boxOf,
  centerDepth,
  fitSimilarity,
  type Landmarks,
  withDefaults,
} from '@voxface/landmarks';
import type { FaceModel } from './face-model.ts';
import { type FaceFit, type FitFaceOptions, fitFace } from './fit-face.ts';
import { fitBasis, shapeOfWeights } from './fit-state.ts';
import { solveSymmetric } from './weak-perspective.ts';

/**
 * How a landmark model (`openBfm68`) is fitted to people's points: a jaw landmark of the 300W-LP convention lies near where
 * annotators mark the jaw on the near side of the head; on the far side, where they mark the contour, it is an outlier
 * and loses its influence. The deviations are those with which fits of AFLW's training faces agree best with a network
 * (docs/facefit.md); with a jaw trusted more, heads turned by 20 to 65 degrees come out turned too little.
 */
export const LABEL_FIT_DEFAULTS: FitFaceOptions = {
  jaw: 'vertices',
  noise: 0.015,
  jawNoise: [0.06, 0.06],
};

/** How a whole head is laid over people's points when only its jaw line is wanted: believed less than for pictures. */
const HEAD_FIT: FitFaceOptions = { noise: 0.02, jawNoise: [0.03, 0.04] };

/** How a landmark model is fitted when a head has said where the jaw line runs. */
const JAW_FIT: FitFaceOptions = { jaw: 'vertices', noise: 0.015, jawNoise: [0.03, 0.03] };

export interface LabelFitOptions {
  /** [68] 0: not annotated. @default all ones */
  visible?: ArrayLike<number>;
  /**
   * A face with skin, usually ICT-FaceKit, whose contour is laid along the annotated jaw: it says where the jaw line
   * itself runs. Without it the contour that people mark is taken for the jaw line, loosely (`LABEL_FIT_DEFAULTS`), and
   * heads that are turned or look down come out turned too little.
   */
  head?: FaceModel;
}

/**
 * Fits a landmark model to people's points. With `head` in two steps: a head with skin turns the visible contour into
 * the jaw line, then the landmark model is fitted to that and to the annotated inner points.
 * @param labels usually `openBfm68`.
 * @param landmarks [68, 2] pixels.
 * @throws RangeError as `fitFace`.
 */
export function fitLabels(labels: FaceModel, landmarks: Landmarks, options: LabelFitOptions = {}): FaceFit {
  const { head } = options;
  const visible = options.visible && { visible: options.visible };
  if (!head) return fitFace(labels, landmarks, withDefaults(LABEL_FIT_DEFAULTS, visible));
  const { landmarks: withJaw } = fitFace(head, landmarks, withDefaults(HEAD_FIT, visible));
  return fitFace(labels, withJaw, withDefaults(JAW_FIT, visible));
}

/**
 * 2D landmarks to 3D labels of the 300W-LP convention: x, y of landmarks 17..67 stay as annotated; those that were not
 * annotated, the jaw line 0..16 and every depth are those of a morphable face fitted to the annotated points.
 * @param labels usually `openBfm68`, the basis with which 300W-LP was labelled.
 * @param landmarks [68, 2] pixels.
 * @returns [68, 3] pixels, z zero-mean, +z away from the camera.
 * @throws RangeError as `fitFace`.
 */
export function liftLandmarks(
  labels: FaceModel,
  landmarks: Landmarks,
  options: LabelFitOptions = {},
): Landmarks<3> {
  return fitLabels(labels, landmarks, options).landmarks;
}

/**
 * Landmarks to the points that a landmark model has there: the convention of 300W-LP's own labels, whose x and y are the
 * Basel face model's as well, not people's.
 * @param labels usually `openBfm68`.
 * @param landmarks [68, 2] people's points, or [68, 3] pixels: landmarks with depth are fitted in space.
 * @returns [68, 3] pixels, z zero-mean, +z away from the camera.
 * @throws RangeError as `fitFace`; for landmarks with depth, when there are not 68 or they span no box.
 */
export function conformLandmarks(
  labels: FaceModel,
  landmarks: Landmarks,
  options: LabelFitOptions = {},
): Landmarks<3> {
  return landmarks.dims === 3
    ? fitShape(labels, landmarks as Landmarks<3>)
    : fitLabels(labels, landmarks, options).modelLandmarks;
}

/** Standard deviation of each coordinate of the given landmarks, as a share of sqrt(width x height) of their box. */
const SHAPE_NOISE = 0.01;
const SHAPE_ROUNDS = 8;

/**
 * The shape of a landmark model that lies nearest to 68 landmarks in space: similarity and weights in turn, the weights by
 * ridge regression, the maximum a posteriori under their Gaussian prior. Pose is that of the given landmarks, because
 * their depth is believed as much as x and y: a shape that was turned stays turned by as much.
 * @param model without landmark offsets, usually `openBfm68`.
 * @param landmarks [68, 3] pixels.
 * @returns [68, 3] pixels, z zero-mean.
 * @throws RangeError when there are not 68 landmarks, or they span no box.
 */
function fitShape(model: FaceModel, landmarks: Landmarks<3>): Landmarks<3> {
  if (landmarks.points.length !== 3 * 68) {
    throw new RangeError(
      `conformLandmarks: expected [68, 3] landmarks, got ${landmarks.points.length} numbers`,
    );
  }
  const { width, height } = boxOf(landmarks);
  if (!(width * height > 0)) {
    throw new RangeError(`conformLandmarks: landmarks must span a box, got ${width} x ${height} pixels`);
  }
  const basis = fitBasis(model, model.identity.count);
  const rows = Array.from(basis.landmarkRows, (row) => [3 * row, 3 * row + 1, 3 * row + 2]).flat();
  const weights = new Float64Array(basis.modes);
  const shape = new Float64Array(basis.mean.length);
  const own = (): Landmarks<3> => {
    shapeOfWeights(basis, weights, shape);
    return { points: Float32Array.from(rows, (at) => shape[at]), dims: 3 };
  };
  for (let round = 0; round < SHAPE_ROUNDS; round++) {
    // What the landmarks are in head axes and model units.
    const back = fitSimilarity(landmarks, own());
    const target = applySimilarity(landmarks, back).points;
    solveWeights(basis, rows, target, SHAPE_NOISE * Math.sqrt(width * height) * back.scale, weights);
  }
  const fitted = own();
  return centerDepth(applySimilarity(fitted, fitSimilarity(fitted, landmarks)));
}

/** Ridge regression: (O^T O / noise^2 + precision) w = O^T (target - mean) / noise^2, then the bounds. */
function solveWeights(
  basis: ReturnType<typeof fitBasis>,
  rows: readonly number[],
  target: ArrayLike<number>,
  noise: number,
  weights: Float64Array,
): void {
  const { modes, mean, offsets, precision, lower, upper } = basis;
  const normal = new Float64Array(modes * modes);
  const right = new Float64Array(modes);
  const belief = 1 / noise ** 2;
  rows.forEach((at, k) => {
    const error = target[k] - mean[at];
    const first = at * modes;
    for (let a = 0; a < modes; a++) {
      const offset = belief * offsets[first + a];
      right[a] += offset * error;
      for (let b = 0; b <= a; b++) normal[a * modes + b] += offset * offsets[first + b];
    }
  });
  for (let a = 0; a < modes; a++) normal[a * modes + a] += precision[a];
  if (!solveSymmetric(normal, right, modes)) return;
  for (let a = 0; a < modes; a++) weights[a] = Math.min(upper[a], Math.max(lower[a], right[a]));
}

/** A view of a dataset whose landmarks are those of `conformLandmarks`; fits are kept. */
export function createConformedDataset(dataset: Dataset, labels: FaceModel): Dataset<3> {
  return withLandmarks(
    dataset,
    ({ landmarks }) => conformLandmarks(labels, landmarks),
    `all landmarks from a fit of ${labels.name}`,
  );
}

export interface RefineOptions {
  /** Share of the label where it agrees with the prediction. @default 0.7 */
  share?: number;
  /** Mean distance, as a share of sqrt(width x height) of the label's box, at which the label has half of that. @default 0.06 */
  distance?: number;
}

export const REFINE_DEFAULTS: Required<RefineOptions> = { share: 0.7, distance: 0.06 };

/**
 * A label moved toward what a network says of the picture: w label + (1 - w) prediction with w = share / (1 + (d / distance)^2),
 * d their mean distance. A fit to people's points errs by chance, most where a head is turned; a network taught with many
 * such fits says what they have in common (the weight is that of Cauchy's estimator).
 * @param label [n, 3] pixels.
 * @param prediction [n, 3] pixels.
 * @returns [n, 3] pixels, z zero-mean.
 * @throws RangeError when the two differ in length, or the label spans no box.
 */
export function refineLandmarks(
  label: Landmarks<3>,
  prediction: Landmarks<3>,
  options: RefineOptions = {},
): Landmarks<3> {
  const { share, distance } = withDefaults(REFINE_DEFAULTS, options);
  if (label.points.length !== prediction.points.length) {
    throw new RangeError(
      `refineLandmarks: expected as many predicted as labelled landmarks, got ${prediction.points.length / 3} and ${label.points.length / 3}`,
    );
  }
  const { width, height } = boxOf(label);
  if (!(width * height > 0)) {
    throw new RangeError(`refineLandmarks: landmarks must span a box, got ${width} x ${height} pixels`);
  }
  const from = centerDepth(prediction).points;
  const to = centerDepth(label).points;
  let apart = 0;
  for (let k = 0; k < to.length; k += 3) {
    apart += Math.hypot(to[k] - from[k], to[k + 1] - from[k + 1], to[k + 2] - from[k + 2]);
  }
  const relative = apart / (to.length / 3) / Math.sqrt(width * height) / distance;
  const weight = share / (1 + relative ** 2);
  return { points: from.map((value, k) => value + weight * (to[k] - value)), dims: 3 };
}

/**
 * A view of a 3D dataset whose landmarks are those of `refineLandmarks`; predictions are kept.
 * @param predict what a network says of a sample.
 */
export function createRefinedDataset(
  dataset: Dataset<3>,
  predict: (sample: Sample<3>) => Promise<Landmarks<3>>,
  model: string,
): Dataset<3> {
  return withLandmarks(
    dataset,
    async (item, index) =>
      refineLandmarks(item.landmarks, await predict('image' in item ? item : await dataset.load(index))),
    `landmarks moved toward the predictions of ${model}`,
  );
}

/**
 * A view of a 2D dataset with depth from a 3D morphable face fitted to each face; fits are kept.
 * @param jaw `model`: the jaw becomes the projection of the true 3D jaw line, as in 300W-LP and AFLW2000-3D;
 * `photo`: its x and y stay where the annotators saw the contour, the depth is the model's.
 */
export function createFittedDataset(
  dataset: Dataset<2>,
  faceModel: FaceModel,
  jaw: 'model' | 'photo' = 'model',
): Dataset<3> {
  return withLandmarks(
    dataset,
    ({ landmarks: annotated }) => {
      const { landmarks } = fitFace(faceModel, annotated);
      return jaw === 'photo' ? withPlane(landmarks, annotated) : landmarks;
    },
    `depth from a fit of ${faceModel.name}, jaw of the ${jaw}`,
  );
}

/** A view with other landmarks, worked out once for each sample, and a line in the provenance. */
function withLandmarks<D extends 2 | 3>(
  dataset: Dataset<D>,
  convert: (annotation: Annotation<D> | Sample<D>, index: number) => Landmarks<3> | Promise<Landmarks<3>>,
  conversion: string,
): Dataset<3> {
  const known = new Map<number, Landmarks<3>>();
  const raise = async <T extends Annotation<D>>(item: T, index: number) => {
    const landmarks = known.get(index) ?? (await convert(item, index));
    known.set(index, landmarks);
    return {
      ...item,
      landmarks,
      provenance: { ...item.provenance, conversions: [...item.provenance.conversions, conversion] },
    };
  };
  const { annotate, loadEncoded } = dataset;
  return {
    name: dataset.name,
    scheme: dataset.scheme,
    dims: 3,
    length: dataset.length,
    ids: dataset.ids,
    ...(dataset.shards && { shards: dataset.shards }),
    load: async (index) => raise(await dataset.load(index), index),
    ...(annotate && { annotate: async (index: number) => raise(await annotate(index), index) }),
    ...(loadEncoded && { loadEncoded: async (index: number) => raise(await loadEncoded(index), index) }),
  };
}

function withPlane(shape: Landmarks<3>, plane: Landmarks<2>): Landmarks<3> {
  const points = shape.points.slice();
  for (let n = 0; n < points.length / 3; n++) {
    points[3 * n] = plane.points[2 * n];
    points[3 * n + 1] = plane.points[2 * n + 1];
  }
  return centerDepth({ points, dims: 3 });
}
