import type { FaceDetector } from '@voxface/predict';
import { UsageError } from './errors.ts';

export const DETECTORS = ['ssd', 'tiny'] as const;
export type DetectorName = (typeof DETECTORS)[number];

/** @throws UsageError for an unknown name. */
export function parseDetector(name: string): DetectorName {
  if (!(DETECTORS as readonly string[]).includes(name)) {
    throw new UsageError(`--detector: expected one of ${DETECTORS.join(', ')}, got ${name}`);
  }
  return name as DetectorName;
}

/**
 * Opens a face detector by name; its weights come with the `@vladmandic/face-api` package.
 * @param backend `onnxruntime-node` runs it there; any other name means the current TensorFlow.js backend.
 * @throws UsageError for an unknown name.
 */
export async function openDetector(name: string, backend?: string): Promise<FaceDetector> {
  const network = parseDetector(name);
  if (backend === 'onnxruntime-node') {
    const { createOnnxDetector } = await import('@voxface/onnx/node');
    return createOnnxDetector({ network });
  }
  const { createFaceApiDetector } = await import('@voxface/models/face-api');
  return createFaceApiDetector({ network });
}
