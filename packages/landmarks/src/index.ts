export {
  type Affine,
  affineScale,
  composeAffine,
  IDENTITY_AFFINE,
  invertAffine,
  transformLandmarks,
} from './affine.ts';
export { type Box, boxOf, boxOverlap, checkBox, squareBox } from './box.ts';
export type { Pixels } from './crop.ts';
export {
  CROP_DEFAULTS,
  type CropOptions,
  checkPixels,
  cropAffine,
  cropPixels,
  cropTaps,
  fromUnit,
  toUnit,
} from './crop.ts';
export { applySimilarity, centroid, fitSimilarity, type Similarity } from './fit-similarity.ts';
export { flipLandmarks, mirrorIndices } from './flip.ts';
export { type HeadPose, headPose, headRotation, poseOfRotation, rotationOfPose } from './head-pose.ts';
export {
  createLandmarkSmoother,
  type LandmarkSmoother,
  SMOOTHER_DEFAULTS,
  type SmootherOptions,
} from './landmark-smoother.ts';
export {
  centerDepth,
  checkLandmarks,
  countLandmarks,
  createLandmarks,
  describeValue,
  type Landmarks,
  selectLandmarks,
  toPlane,
} from './landmarks.ts';
export { MEAN_FACE_68, meanFaceInBox } from './mean-face.ts';
export { createRandom, type Random, type RandomState, shuffle } from './random.ts';
export type { LandmarkScheme } from './scheme.ts';
export { type LandmarkMap, mapLandmarks, selectScheme } from './scheme.ts';
export {
  AFLW_21,
  FIVE_POINTS,
  findScheme,
  IBUG_68,
  IBUG_68_TO_3DFAW_66,
  IBUG_68_TO_AFLW_21,
  IBUG_68_TO_FIVE_POINTS,
  IBUG_68_TO_INNER_51,
  INNER_51,
  INNER_51_OF_68,
  SCHEMES,
  THREEDFAW_66,
  WFLW_98,
  WFLW_98_TO_IBUG_68,
} from './schemes.ts';
export { withDefaults } from './with-defaults.ts';
