export {
  createDetector,
  DETECTOR_DEFAULTS,
  type DetectorOptions,
  FACE_API_CALIBRATION,
} from './detectors/create-detector.ts';
export {
  createFaceApiDetector,
  describeFaceApiNetwork,
  FACE_API_DETECTOR_DEFAULTS,
  type FaceApiDetectorOptions,
} from './detectors/create-face-api-detector.ts';
export type {
  DetectionHead,
  DetectionNetwork,
  NetworkDescription,
  NetworkOperations,
} from './detectors/detection-network.ts';
export type { DetectedFace, FaceDetector } from './detectors/face-detector.ts';
export { buildDetectionLayers } from './detectors/layer-operations.ts';
