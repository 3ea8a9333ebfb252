export {
  createFaceApiDetector,
  describeFaceApiNetwork,
  FACE_API_DETECTOR_DEFAULTS,
  type FaceApiDetectorOptions,
} from './face-api/face-api-detector.ts';
export type { NetworkDescription, NetworkOperations } from './face-api/network-operations.ts';
export { buildDetectionLayers } from './face-api/network-operations.ts';
