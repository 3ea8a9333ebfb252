export type {
  CommonLandmarkerOptions,
  DetectOptions,
  Face,
  FaceLandmarker,
  FaceVolume,
} from './landmarker/face-landmarker.ts';
export { createFaceLandmarker, type FaceLandmarkerOptions, type PhotoSource } from './landmarker/web.ts';
