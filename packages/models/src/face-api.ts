export {
  createFaceApiDetector,
  describeFaceApiNetwork,
  FACE_API_DETECTOR_DEFAULTS,
  type FaceApiDetectorOptions,
} from './face-api/face-api-detector.ts';
export type { ConvolutionOptions, NetworkOperations } from './face-api/network-operations.ts';
