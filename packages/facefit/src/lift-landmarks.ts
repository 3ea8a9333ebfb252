import type { Annotation, Dataset } from '@voxface/datasets';
import { centerDepth, type Landmarks } from '@voxface/landmarks';
import type { FaceModel } from './face-model.ts';
import { type FitFaceOptions, fitFace } from './fit-face.ts';

/**
 * How a landmark model (`openBfm68`) is fitted to people's points: a jaw landmark of the 300W-LP convention lies where
 * annotators mark the jaw on the near side of the head; on the far side, where they mark the contour, it is an outlier
 * and loses its influence.
 */
export const LABEL_FIT_DEFAULTS: FitFaceOptions = {
  jaw: 'vertices',
  noise: 0.01,
  jawNoise: [0.02, 0.03],
};

/**
 * 2D landmarks to 3D labels of the 300W-LP convention: x, y of landmarks 17..67 stay as annotated; those that were not
 * annotated, the jaw line 0..16 and every depth are those of a morphable face fitted to the annotated points.
 * @param labels usually `openBfm68`, the basis with which 300W-LP was labelled.
 * @param landmarks [68, 2] pixels.
 * @param visible [68] 0: not annotated.
 * @returns [68, 3] pixels, z zero-mean, +z away from the camera.
 * @throws RangeError as `fitFace`.
 */
export function liftLandmarks(
  labels: FaceModel,
  landmarks: Landmarks,
  visible?: ArrayLike<number>,
): Landmarks<3> {
  return fitFace(labels, landmarks, { ...LABEL_FIT_DEFAULTS, ...(visible && { visible }) }).landmarks;
}

/**
 * Landmarks to the points that a landmark model has there: the convention of 300W-LP's own labels, whose x and y are the
 * Basel face model's as well, not people's.
 * @param labels usually `openBfm68`.
 * @param landmarks [68, 2 or 3] pixels; z is not read.
 * @returns [68, 3] pixels, z zero-mean, +z away from the camera.
 * @throws RangeError as `fitFace`.
 */
export function conformLandmarks(labels: FaceModel, landmarks: Landmarks): Landmarks<3> {
  return fitFace(labels, landmarks, LABEL_FIT_DEFAULTS).modelLandmarks;
}

/** A view of a dataset whose landmarks are those of `conformLandmarks`; fits are kept. */
export function createConformedDataset(dataset: Dataset, labels: FaceModel): Dataset<3> {
  return withLandmarks(
    dataset,
    ({ landmarks }) => conformLandmarks(labels, landmarks),
    `all landmarks from a fit of ${labels.name}`,
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
  convert: (annotation: Annotation<D>) => Landmarks<3>,
  conversion: string,
): Dataset<3> {
  const known = new Map<number, Landmarks<3>>();
  const raise = <T extends Annotation<D>>(item: T, index: number) => {
    let landmarks = known.get(index);
    if (landmarks === undefined) known.set(index, (landmarks = convert(item)));
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
