/** A candidate box in units of the picture's longer side, before suppression. */
export interface Candidate {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly score: number;
}

/** The candidate around a centre. */
export function candidateAround(
  centerX: number,
  centerY: number,
  halfWidth: number,
  halfHeight: number,
  score: number,
): Candidate {
  return {
    left: centerX - halfWidth,
    top: centerY - halfHeight,
    right: centerX + halfWidth,
    bottom: centerY + halfHeight,
    score,
  };
}

/**
 * Greedy non-maximum suppression: the most certain candidates that overlap no better one by more than `overlap`
 * (intersection over union), the most certain first.
 */
export function suppressNonMaxima(
  candidates: readonly Candidate[],
  overlap: number,
  limit: number,
): Candidate[] {
  const kept: Candidate[] = [];
  for (const candidate of [...candidates].sort((a, b) => b.score - a.score)) {
    if (kept.length >= limit) break;
    if (kept.every((other) => intersectionOverUnion(candidate, other) <= overlap)) kept.push(candidate);
  }
  return kept;
}

/** Area of the intersection over area of the union; 0 for empty boxes. */
export function intersectionOverUnion(a: Candidate, b: Candidate): number {
  const width = Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left));
  const height = Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
  const shared = width * height;
  const union = area(a) + area(b) - shared;
  return union > 0 ? shared / union : 0;
}

function area(box: Candidate): number {
  return Math.max(0, box.right - box.left) * Math.max(0, box.bottom - box.top);
}
