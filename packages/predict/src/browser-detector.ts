import { withDefaults } from '@voxface/landmarks';
import { type BoxCalibration, calibrateBox, NO_CALIBRATION } from './detection-head.ts';
import type { DetectedFace, FaceDetector } from './detector.ts';
import { type DrawableImage, type ImageSource, toPixels } from './image-source.ts';

/** The part of the Shape Detection API's `FaceDetector` that is used. */
interface NativeFaceDetector {
  detect(image: unknown): Promise<readonly { boundingBox: DOMRectReadOnly }[]>;
}
type NativeConstructor = new (options: { maxDetectedFaces: number; fastMode: boolean }) => NativeFaceDetector;

/** Options of the browser's detector. */
export interface BrowserDetectorOptions {
  /** Most faces per picture. @default 10 */
  maxFaces?: number;
  /** Prefers speed over accuracy. @default false */
  fast?: boolean;
  /**
   * How the browser's boxes relate to landmark boxes; it differs between platforms, so none is assumed.
   * @default { shift: [0, 0], scale: [1, 1] }
   */
  calibration?: BoxCalibration;
}

/** Ten faces, accurate mode, boxes as they are. */
export const BROWSER_DETECTOR_DEFAULTS: Required<BrowserDetectorOptions> = {
  maxFaces: 10,
  fast: false,
  calibration: NO_CALIBRATION,
};

/** Whether this browser has a face detector of its own. */
export function hasBrowserDetector(): boolean {
  return typeof nativeConstructor() === 'function';
}

/**
 * The browser's own face detector (Shape Detection API; Chromium on some platforms, often behind a flag). It tells
 * no confidence, so every score is 1; its boxes vary between platforms, which the predictor's `refine` mends.
 * @throws Error when the browser has none.
 */
export function createBrowserDetector(options: BrowserDetectorOptions = {}): FaceDetector {
  const { maxFaces, fast, calibration } = withDefaults(BROWSER_DETECTOR_DEFAULTS, options);
  const Native = nativeConstructor();
  if (Native === undefined) {
    throw new Error(
      'createBrowserDetector: this browser has no FaceDetector (use createFaceApiDetector of @voxface/models/face-api)',
    );
  }
  const detector = new Native({ maxDetectedFaces: maxFaces, fastMode: fast });
  return {
    detect: async (image) => {
      const faces = await detector.detect(await toDetectable(image));
      return faces.map(({ boundingBox: { x, y, width, height } }): DetectedFace => {
        const box = { x: x - 0.5, y: y - 0.5, width, height };
        return { box: calibrateBox(box, calibration), score: 1 };
      });
    },
    dispose: () => {},
  };
}

function nativeConstructor(): NativeConstructor | undefined {
  return (globalThis as { FaceDetector?: NativeConstructor }).FaceDetector;
}

/** What the browser draws passes through; bytes become ImageData. */
async function toDetectable(image: ImageSource): Promise<ImageData | DrawableImage> {
  if (!('data' in image) && !('dataId' in image)) return image as DrawableImage;
  const { data, width, height, channels } = await toPixels(image);
  const rgba = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < channels; c++) rgba[4 * i + c] = data[channels * i + c];
  }
  return new ImageData(rgba, width, height);
}
