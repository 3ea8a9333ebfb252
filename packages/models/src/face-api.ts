export {
  createFaceApiDetector,
  FACE_API_CALIBRATION,
  FACE_API_DETECTOR_DEFAULTS,
  type FaceApiDetectorOptions,
} from './detectors/create-face-api-detector.ts';
export type { DetectedFace, FaceDetector } from './detectors/face-detector.ts';
