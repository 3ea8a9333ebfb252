import type { Box } from '@voxface/landmarks';

/** What it takes to read a detector's outputs; plain data, so that it can be sent to another thread. */
export interface DetectionHead {
  readonly kind: 'ssd' | 'tiny';
  /** Side of the largest square picture that the network sees. */
  readonly inputSize: number;
  /** The network takes every picture whose sides are multiples of this, up to the square; absent, only the square. */
  readonly step?: number;
  /** Overlap above which the less certain of two candidates is dropped. */
  readonly overlap: number;
  /** Anchor boxes of `ssd` on the whole square, [top, left, bottom, right] each; empty for `tiny`. */
  readonly anchors: Float32Array;
}

/** A face in the picture that the network saw, in its pixels. */
export interface Candidate extends Box {
  readonly score: number;
}

/**
 * Reads the outputs for a picture of `width` x `height` pixels.
 * @returns candidates above `minScore`, overlapping ones included.
 */
export function decodeOutputs(
  head: DetectionHead,
  outputs: readonly Float32Array[],
  [width, height]: readonly [width: number, height: number],
  minScore: number,
): Candidate[] {
  return head.kind === 'ssd'
    ? decodeSsd(head, outputs, width, height, minScore)
    : decodeTiny(outputs[0], width / TINY_CELL, minScore);
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

/** Pixels between the cells of the first map of `ssd`; they double from map to map. */
const SSD_STRIDE = 16;
/** Anchors per cell of the first map and of the others. */
const SSD_ANCHORS = [3, 6] as const;

/** Box encodings relative to anchors with variances 0.1 and 0.2; a smaller picture has the top left cells of every map. */
function decodeSsd(
  { inputSize, anchors }: DetectionHead,
  [boxes, classes]: readonly Float32Array[],
  width: number,
  height: number,
  minScore: number,
): Candidate[] {
  const candidates: Candidate[] = [];
  let at = 0;
  let mapStart = 0;
  for (let stride = SSD_STRIDE; at < classes.length / 3; stride *= 2) {
    const perCell = SSD_ANCHORS[stride === SSD_STRIDE ? 0 : 1];
    const side = Math.ceil(inputSize / stride);
    const inRow = Math.ceil(width / stride) * perCell;
    for (let row = 0; row < Math.ceil(height / stride); row++) {
      for (let k = 0; k < inRow; k++, at++) {
        const score = 1 / (1 + Math.exp(-classes[3 * at + 1]));
        if (!(score > minScore)) continue;
        const anchor = 4 * (mapStart + row * side * perCell + k);
        const [top, left, bottom, right] = anchors.subarray(anchor, anchor + 4).map((v) => v * inputSize);
        const [tall, wide] = [bottom - top, right - left];
        const centerY = (boxes[4 * at] / 10) * tall + top + tall / 2;
        const centerX = (boxes[4 * at + 1] / 10) * wide + left + wide / 2;
        const halfHeight = (Math.exp(boxes[4 * at + 2] / 5) * tall) / 2;
        const halfWidth = (Math.exp(boxes[4 * at + 3] / 5) * wide) / 2;
        candidates.push(candidateAround(centerX, centerY, halfWidth, halfHeight, score));
      }
    }
    mapStart += side * side * perCell;
  }
  return candidates;
}

/** Pixels between the cells of `tiny`. */
const TINY_CELL = 32;
/** Widths and heights of its anchors in cells. */
const TINY_ANCHORS = [
  [1.603231, 2.094468],
  [6.041143, 7.080126],
  [2.882459, 3.518061],
  [4.266906, 5.178857],
  [9.041765, 10.66308],
];

/** Sigmoid offsets in the cell and exponential sizes relative to the anchors. */
function decodeTiny(values: Float32Array, columns: number, minScore: number): Candidate[] {
  const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
  const candidates: Candidate[] = [];
  for (let cell = 0; cell < values.length / 25; cell++) {
    TINY_ANCHORS.forEach(([anchorWidth, anchorHeight], anchor) => {
      const at = (cell * TINY_ANCHORS.length + anchor) * 5;
      const score = sigmoid(values[at + 4]);
      if (!(score > minScore)) return;
      const centerX = ((cell % columns) + sigmoid(values[at])) * TINY_CELL;
      const centerY = (Math.floor(cell / columns) + sigmoid(values[at + 1])) * TINY_CELL;
      const halfWidth = (Math.exp(values[at + 2]) * anchorWidth * TINY_CELL) / 2;
      const halfHeight = (Math.exp(values[at + 3]) * anchorHeight * TINY_CELL) / 2;
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
