import { type Candidate, candidateAround } from './non-max-suppression.ts';

/** Box encodings relative to anchors [top, left, bottom, right] with variances 0.1 and 0.2. */
export function decodeSsd(
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
