import type { FaceDetector } from '@voxface/models';
import { UsageError } from './errors.ts';

export const DETECTORS = ['ssd', 'tiny'] as const;

/**
 * Opens a face detector by name; its weights come with the `@vladmandic/face-api` package.
 * @throws UsageError for an unknown name.
 */
export async function openDetector(name: string): Promise<FaceDetector> {
  if (!(DETECTORS as readonly string[]).includes(name)) {
    throw new UsageError(`--detector: expected one of ${DETECTORS.join(', ')}, got ${name}`);
  }
  const { createFaceApiDetector } = await import('@voxface/models/face-api');
  return createFaceApiDetector({ network: name as (typeof DETECTORS)[number] });
}
