export { createFaceModel, type FaceModel, type FaceModelParts, type FaceModes } from './face-model.ts';
export { type FaceFit, FIT_FACE_DEFAULTS, type FitFaceOptions, fitFace } from './fit-face.ts';
export type { JawLine } from './fit-pulls.ts';
export { createFittedDataset } from './fitted-dataset.ts';
export { LABEL_FIT_DEFAULTS, liftLandmarks } from './lift-landmarks.ts';
export { type ObjMesh, parseObj } from './parse-obj.ts';
export {
  PROFILE_FACE_DEFAULTS,
  type ProfiledFace,
  type ProfileFaceOptions,
  type ProfilePose,
  profileFace,
} from './profile-face.ts';
export {
  POSE_DISTRIBUTION_DEFAULTS,
  type PoseDistribution,
  profilePoses,
  profileYaws,
} from './profile-poses.ts';
export { reconstructVertices } from './reconstruct-vertices.ts';
export type { Matrix3 } from './rotation.ts';
export { type Shard, shardOf } from './shard.ts';
export { fitWeakPerspective, type WeakPerspective } from './weak-perspective.ts';
