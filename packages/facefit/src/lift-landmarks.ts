import type { Landmarks } from '@voxface/landmarks';
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
