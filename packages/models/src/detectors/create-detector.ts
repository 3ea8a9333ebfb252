import type { Affine, Box, Pixels } from '@voxface/landmarks';
import { cropUpright } from '../predictor/crop-upright.ts';
import { toPixels } from '../predictor/image-source.ts';
import { type BoxCalibration, calibrateBox, NO_CALIBRATION } from './calibration.ts';
import { decodeSsd } from './decode-ssd.ts';
import { decodeTiny } from './decode-tiny.ts';
import type { DetectionHead, DetectionNetwork } from './detection-network.ts';
import type { DetectedFace, FaceDetector } from './face-detector.ts';
import { type Candidate, suppressNonMaxima } from './non-max-suppression.ts';

/** How a detector's candidates become faces. */
export interface DetectorOptions {
  /** Least confidence of a face. */
  minScore?: number;
  /** Most faces per picture. */
  maxFaces?: number;
  /** False returns the detector's own boxes. */
  calibrated?: boolean;
}

/** The confidence that face-api uses, boxes mapped to landmark boxes. */
export const DETECTOR_DEFAULTS: Required<DetectorOptions> = {
  minScore: 0.5,
  maxFaces: 100,
  calibrated: true,
};

/**
 * Medians over photos of AFW (`scripts/calibrate-detectors.mts`): `ssd ../shared/data/300w/afw 3`, 109 of 113 faces
 * found, median deviation 0.017 of a side in position and 5 % in size; `tiny ../shared/data/300w/afw 2`, 145 of 169
 * found, 0.017 and 5 %.
 */
export const FACE_API_CALIBRATION: Record<'ssd' | 'tiny', BoxCalibration> = {
  ssd: { shift: [0.029, 0.13], scale: [0.923, 0.806] },
  tiny: { shift: [0.006, 0.017], scale: [0.905, 0.937] },
};

/** A detector around anything that runs its network. The network is disposed with the detector. */
export function createDetector(network: DetectionNetwork, options: DetectorOptions = {}): FaceDetector {
  const { minScore, maxFaces, calibrated } = { ...DETECTOR_DEFAULTS, ...options };
  const { head } = network;
  const calibration = calibrated ? FACE_API_CALIBRATION[head.kind] : NO_CALIBRATION;
  let alive = true;
  return {
    detect: async (image) => {
      if (!alive) throw new Error('detect: this detector was disposed (create another)');
      const pixels = await toPixels(image);
      const outputs = await network.run(fitSquare(pixels, head.inputSize));
      const faces = suppressNonMaxima(decode(head, outputs, minScore), head.overlap, maxFaces);
      return faces.map((face) => toFace(face, pixels, calibration));
    },
    dispose: () => {
      if (alive) network.dispose();
      alive = false;
    },
  };
}

/** Fits the picture into the top-left of a black square. */
function fitSquare(image: Pixels, size: number): Uint8Array {
  const side = Math.max(image.width, image.height);
  const square: Affine = [1 / side, 0, 0, 1 / side, 0.5 / side, 0.5 / side];
  return cropUpright(image, square, size);
}

function decode(head: DetectionHead, outputs: readonly Float32Array[], minScore: number): Candidate[] {
  return head.kind === 'ssd'
    ? decodeSsd(outputs[0], outputs[1], head.anchors, minScore)
    : decodeTiny(outputs[0], minScore);
}

/** Clips a candidate to the picture, as face-api does, and maps it to a landmark box in pixels. */
function toFace(face: Candidate, image: Pixels, calibration: BoxCalibration): DetectedFace {
  const side = Math.max(image.width, image.height);
  const left = Math.max(0, face.left) * side - 0.5;
  const top = Math.max(0, face.top) * side - 0.5;
  const right = Math.min(image.width, face.right * side) - 0.5;
  const bottom = Math.min(image.height, face.bottom * side) - 0.5;
  const box: Box = { x: left, y: top, width: right - left, height: bottom - top };
  return { box: calibrateBox(box, calibration), score: face.score };
}
