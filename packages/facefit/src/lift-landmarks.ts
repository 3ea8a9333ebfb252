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
 * A view of a 2D dataset with depth from a 3D morphable face fitted to each face; fits are kept.
 * @param jaw `model`: the jaw becomes the projection of the true 3D jaw line, as in 300W-LP and AFLW2000-3D;
 * `photo`: its x and y stay where the annotators saw the contour, the depth is the model's.
 */
export function createFittedDataset(
  dataset: Dataset<2>,
  faceModel: FaceModel,
  jaw: 'model' | 'photo' = 'model',
): Dataset<3> {
  const fits = new Map<number, Landmarks<3>>();
  const lift = (annotation: Annotation<2>, index: number): Landmarks<3> => {
    let landmarks = fits.get(index);
    if (landmarks === undefined) {
      landmarks = fitFace(faceModel, annotation.landmarks).landmarks;
      if (jaw === 'photo') landmarks = withPlane(landmarks, annotation.landmarks);
      fits.set(index, landmarks);
    }
    return landmarks;
  };
  const raise = <T extends Annotation<2>>(item: T, index: number) => ({
    ...item,
    landmarks: lift(item, index),
    provenance: {
      ...item.provenance,
      conversions: [
        ...item.provenance.conversions,
        `depth from a fit of ${faceModel.name}, jaw of the ${jaw}`,
      ],
    },
  });
  const { annotate, loadEncoded } = dataset;
  return {
    name: dataset.name,
    scheme: dataset.scheme,
    dims: 3,
    length: dataset.length,
    ids: dataset.ids,
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
