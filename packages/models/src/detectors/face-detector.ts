import type { Box } from '@voxface/landmarks';
import type { ImageSource } from '../predictor/image-source.ts';

/** A face that a detector found. */
export interface DetectedFace {
  /** Estimate of the tight box of the 68 landmarks, in image pixels. */
  readonly box: Box;
  /** Confidence, 0 to 1. */
  readonly score: number;
}

/** Finds faces; adapters map their detector's boxes to landmark boxes. */
export interface FaceDetector {
  /** Faces in a picture, the most certain first; an empty list when there is none. */
  detect(image: ImageSource): Promise<DetectedFace[]>;
  dispose(): void;
}
