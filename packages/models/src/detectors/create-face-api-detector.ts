import { dispose, type Tensor4D, tensor4d, tidy } from '@tensorflow/tfjs-core';
import { type Affine, type Box, cropPixels, type Pixels } from '@voxface/landmarks';
import { toPixels } from '../predictor/image-source.ts';
import { type BoxCalibration, calibrateBox, NO_CALIBRATION } from './calibration.ts';
import type { DetectionNetwork } from './detection-network.ts';
import { readFaceApiWeights } from './face-api-weights.ts';
import type { DetectedFace, FaceDetector } from './face-detector.ts';
import { type Candidate, suppressNonMaxima } from './non-max-suppression.ts';
import { createSsdNetwork, SSD_INPUT_SIZE } from './ssd-network.ts';
import { createTinyNetwork } from './tiny-network.ts';

/** Options of the face-api detector. */
export interface FaceApiDetectorOptions {
  /** `ssd`: SSD MobileNet V1, 5.6 MB, thorough; `tiny`: tiny YOLO v2, 0.2 MB, fast. */
  network?: 'ssd' | 'tiny';
  /** Least confidence of a face. */
  minScore?: number;
  /** Most faces per picture. */
  maxFaces?: number;
  /** Side of the tiny network's input, a multiple of 32; the SSD network always sees 512. */
  inputSize?: number;
  /** Address of the `model` folder of `@vladmandic/face-api`; needed outside Node. */
  modelUrl?: string | URL;
  /** False returns the detector's own boxes. */
  calibrated?: boolean;
}

/** The thorough network at the confidence that face-api uses. */
export const FACE_API_DETECTOR_DEFAULTS: Required<Omit<FaceApiDetectorOptions, 'modelUrl'>> = {
  network: 'ssd',
  minScore: 0.5,
  maxFaces: 100,
  inputSize: 416,
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

/**
 * Opens a face detector with the weights that ship in `@vladmandic/face-api` (an optional peer). Only its weight
 * files are used: the networks run on the caller's TensorFlow.js and its current backend, so no second copy of
 * TensorFlow.js is loaded.
 * @throws Error when the weights cannot be found.
 */
export async function createFaceApiDetector(options: FaceApiDetectorOptions = {}): Promise<FaceDetector> {
  const {
    network: kind,
    minScore,
    maxFaces,
    inputSize,
    calibrated,
  } = { ...FACE_API_DETECTOR_DEFAULTS, ...options };
  if (kind !== 'ssd' && kind !== 'tiny') {
    throw new RangeError(`createFaceApiDetector: network must be ssd or tiny, got ${kind}`);
  }
  const size = kind === 'ssd' ? SSD_INPUT_SIZE : inputSize;
  const name = kind === 'ssd' ? 'ssd_mobilenetv1_model' : 'tiny_face_detector_model';
  const weights = await readFaceApiWeights(name, options.modelUrl);
  const network = kind === 'ssd' ? createSsdNetwork(weights) : createTinyNetwork(weights);
  const calibration = calibrated ? FACE_API_CALIBRATION[kind] : NO_CALIBRATION;
  let alive = true;
  return {
    detect: async (image) => {
      if (!alive) throw new Error('detect: this detector was disposed (create another)');
      const pixels = await toPixels(image);
      const candidates = await runNetwork(network, pixels, size, minScore);
      const faces = suppressNonMaxima(candidates, network.overlap, maxFaces);
      return faces.map((face) => toFace(face, pixels, calibration));
    },
    dispose: () => {
      if (alive) network.dispose();
      alive = false;
    },
  };
}

/** Fits the picture into the top-left of a black square and finds candidates in it. */
async function runNetwork(
  network: DetectionNetwork,
  image: Pixels,
  size: number,
  minScore: number,
): Promise<Candidate[]> {
  const side = Math.max(image.width, image.height);
  const square: Affine = [1 / side, 0, 0, 1 / side, 0.5 / side, 0.5 / side];
  const crop = cropPixels(image, square, size);
  const outputs = tidy(() => network.run(tensor4d(Float32Array.from(crop), [1, size, size, 3]) as Tensor4D));
  try {
    const values = await Promise.all(outputs.map((output) => output.data() as Promise<Float32Array>));
    return network.decode(
      values,
      outputs.map((output) => output.shape),
      minScore,
    );
  } finally {
    dispose(outputs);
  }
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
