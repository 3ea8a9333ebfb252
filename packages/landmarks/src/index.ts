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
export { flipLandmarks, mirrorIndices } from './flip.ts';
export {
  centerDepth,
  countLandmarks,
  createLandmarks,
  type Landmarks,
  selectLandmarks,
  toPlane,
} from './landmarks.ts';
export type { Pixels } from './pixels.ts';
export { createRandom, type Random, type RandomState, shuffle } from './random.ts';
export type { LandmarkScheme } from './scheme.ts';
export { IBUG_68, INNER_51_OF_68 } from './schemes/ibug-68.ts';
