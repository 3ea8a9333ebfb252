export {
  type Affine,
  affineScale,
  composeAffine,
  IDENTITY_AFFINE,
  invertAffine,
  transformLandmarks,
} from './affine.ts';
export { type Box, boxOf, squareBox } from './box.ts';
export { CROP_DEFAULTS, type CropOptions, cropAffine, fromUnit, toUnit } from './crop.ts';
export { cropPixels } from './crop-pixels.ts';
export { applySimilarity, centroid, fitSimilarity, type Similarity } from './fit-similarity.ts';
export { flipLandmarks, mirrorIndices } from './flip.ts';
export { type HeadPose, headPose, headRotation, poseOfRotation, rotationOfPose } from './head-pose.ts';
export {
  centerDepth,
  countLandmarks,
  createLandmarks,
  type Landmarks,
  selectLandmarks,
  toPlane,
} from './landmarks.ts';
export { MEAN_FACE_68 } from './mean-face.ts';
export type { Pixels } from './pixels.ts';
export { createRandom, type Random, type RandomState, shuffle } from './random.ts';
export type { LandmarkScheme } from './scheme.ts';
export { IBUG_68, INNER_51_OF_68 } from './schemes/ibug-68.ts';
