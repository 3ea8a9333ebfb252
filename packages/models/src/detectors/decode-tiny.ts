import { type Candidate, candidateAround } from './non-max-suppression.ts';

/** Widths and heights of the anchors in cells. */
const ANCHORS = [
  [1.603231, 2.094468],
  [6.041143, 7.080126],
  [2.882459, 3.518061],
  [4.266906, 5.178857],
  [9.041765, 10.66308],
];

/** Sigmoid offsets in the cell and exponential sizes relative to the anchors. */
export function decodeTiny(values: Float32Array, minScore: number): Candidate[] {
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
