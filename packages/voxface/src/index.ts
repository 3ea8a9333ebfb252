export type {
  CommonLandmarkerOptions,
  DetectOptions,
  Face,
  FaceLandmarker,
  FaceVolume,
} from './landmarker/face-landmarker.ts';
export { createFaceLandmarker, type FaceLandmarkerOptions, type PhotoSource } from './landmarker/node.ts';
export {
  LOCALIZE_PHOTOS_DEFAULTS,
  type LocalizePhotosOptions,
  type LocatedPhoto,
  localizePhotos,
} from './photos/localize-photos.ts';
export type { PhotoRequest } from './photos/photo-threads.ts';
