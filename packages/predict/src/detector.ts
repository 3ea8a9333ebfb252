import { type Affine, type Box, boxOverlap, type Pixels } from '@voxface/landmarks';
import { cropUpright } from './crop-upright.ts';
import { type ImageSource, toPixels } from './image-source.ts';

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

/** A detector's network without its post-processing: a square picture in, numbers out. */
export interface DetectionNetwork {
  readonly head: DetectionHead;
  /** Outputs for one picture of RGB bytes [size, size, 3], size as the head says. */
  run(picture: Uint8Array): Promise<readonly Float32Array[]>;
  dispose(): void;
}

/** What it takes to read a detector's outputs; plain data, so that it can be sent to another thread. */
export interface DetectionHead {
  readonly kind: 'ssd' | 'tiny';
  /** Side of the square picture that the network sees. */
  readonly inputSize: number;
  /** Overlap above which the less certain of two candidates is dropped. */
  readonly overlap: number;
  /** Anchor boxes of `ssd`, [top, left, bottom, right] each; empty for `tiny`. */
  readonly anchors: Float32Array;
}

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
  const left = Math.max(0, face.x) * side - 0.5;
  const top = Math.max(0, face.y) * side - 0.5;
  const right = Math.min(image.width, (face.x + face.width) * side) - 0.5;
  const bottom = Math.min(image.height, (face.y + face.height) * side) - 0.5;
  const box: Box = { x: left, y: top, width: right - left, height: bottom - top };
  return { box: calibrateBox(box, calibration), score: face.score };
}

/** How a detector's box relates to the tight box of the 68 landmarks; shifts in sides of the detector's box. */
export interface BoxCalibration {
  /** Landmark box centre minus detector box centre, over the detector's width and height. */
  readonly shift: readonly [x: number, y: number];
  /** Landmark box width and height over the detector's. */
  readonly scale: readonly [width: number, height: number];
}

/** Maps a detector's box to the landmark box that it most likely belongs to. */
export function calibrateBox(box: Box, { shift, scale }: BoxCalibration): Box {
  const width = box.width * scale[0];
  const height = box.height * scale[1];
  return {
    x: box.x + box.width * (0.5 + shift[0]) - width / 2,
    y: box.y + box.height * (0.5 + shift[1]) - height / 2,
    width,
    height,
  };
}

/** Detector boxes that are landmark boxes already. */
export const NO_CALIBRATION: BoxCalibration = { shift: [0, 0], scale: [1, 1] };

/**
 * Medians over photos of AFW (`scripts/calibrate-detectors.mts`): `ssd ../shared/data/300w/afw 3`, 109 of 113 faces
 * found, median deviation 0.017 of a side in position and 5 % in size; `tiny ../shared/data/300w/afw 2`, 145 of 169
 * found, 0.017 and 5 %.
 */
export const FACE_API_CALIBRATION: Record<'ssd' | 'tiny', BoxCalibration> = {
  ssd: { shift: [0.029, 0.13], scale: [0.923, 0.806] },
  tiny: { shift: [0.006, 0.017], scale: [0.905, 0.937] },
};

/** A candidate before suppression, in units of the picture's longer side. */
interface Candidate extends Box {
  readonly score: number;
}

/** Box encodings relative to anchors [top, left, bottom, right] with variances 0.1 and 0.2. */
function decodeSsd(
  boxes: Float32Array,
  classes: Float32Array,
  anchors: Float32Array,
  minScore: number,
): Candidate[] {
  const candidates: Candidate[] = [];
  for (let i = 0; i < classes.length / 3; i++) {
    const score = 1 / (1 + Math.exp(-classes[3 * i + 1]));
    if (!(score > minScore)) continue;
    const [top, left, bottom, right] = anchors.subarray(4 * i, 4 * i + 4);
    const height = bottom - top;
    const width = right - left;
    const centerY = (boxes[4 * i] / 10) * height + top + height / 2;
    const centerX = (boxes[4 * i + 1] / 10) * width + left + width / 2;
    const halfHeight = (Math.exp(boxes[4 * i + 2] / 5) * height) / 2;
    const halfWidth = (Math.exp(boxes[4 * i + 3] / 5) * width) / 2;
    candidates.push(candidateAround(centerX, centerY, halfWidth, halfHeight, score));
  }
  return candidates;
}

/** Widths and heights of the anchors in cells. */
const ANCHORS = [
  [1.603231, 2.094468],
  [6.041143, 7.080126],
  [2.882459, 3.518061],
  [4.266906, 5.178857],
  [9.041765, 10.66308],
];

/** Sigmoid offsets in the cell and exponential sizes relative to the anchors. */
function decodeTiny(values: Float32Array, minScore: number): Candidate[] {
  const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
  const cells = Math.sqrt(values.length / 25);
  const candidates: Candidate[] = [];
  for (let cell = 0; cell < cells * cells; cell++) {
    ANCHORS.forEach(([anchorWidth, anchorHeight], anchor) => {
      const at = (cell * ANCHORS.length + anchor) * 5;
      const score = sigmoid(values[at + 4]);
      if (!(score > minScore)) return;
      const centerX = ((cell % cells) + sigmoid(values[at])) / cells;
      const centerY = (Math.floor(cell / cells) + sigmoid(values[at + 1])) / cells;
      const halfWidth = (Math.exp(values[at + 2]) * anchorWidth) / cells / 2;
      const halfHeight = (Math.exp(values[at + 3]) * anchorHeight) / cells / 2;
      candidates.push(candidateAround(centerX, centerY, halfWidth, halfHeight, score));
    });
  }
  return candidates;
}

/** The candidate around a centre. */
function candidateAround(
  centerX: number,
  centerY: number,
  halfWidth: number,
  halfHeight: number,
  score: number,
): Candidate {
  const [x, y] = [centerX - halfWidth, centerY - halfHeight];
  return { x, y, width: 2 * halfWidth, height: 2 * halfHeight, score };
}

/**
 * Greedy non-maximum suppression: the most certain candidates that overlap no better one by more than `overlap`
 * (intersection over union), the most certain first.
 */
function suppressNonMaxima(candidates: readonly Candidate[], overlap: number, limit: number): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of [...candidates].sort((a, b) => b.score - a.score)) {
    if (kept.length >= limit) break;
    if (kept.every((other) => boxOverlap(candidate, other) <= overlap)) kept.push(candidate);
  }
  return kept;
}
