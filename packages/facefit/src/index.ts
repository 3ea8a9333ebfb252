export { createFaceModel, type FaceModel, type FaceModelParts, type FaceModes } from './face-model.ts';
export { type FaceFit, FIT_FACE_DEFAULTS, type FitFaceOptions, fitFace } from './fit-face.ts';
export {
  conformLandmarks,
  createConformedDataset,
  createFittedDataset,
  createRefinedDataset,
  LABEL_FIT_DEFAULTS,
  type LabelFitOptions,
  liftLandmarks,
  REFINE_DEFAULTS,
  type RefineOptions,
  refineLandmarks,
} from './lift-landmarks.ts';
export {
  PROFILE_FACE_DEFAULTS,
  type ProfiledFace,
  type ProfileFaceOptions,
  type ProfilePose,
  profileFace,
} from './profile-face.ts';
export { POSE_DISTRIBUTION_DEFAULTS, type PoseDistribution, profilePoses } from './profile-poses.ts';
export type { Matrix3 } from './rotation.ts';
