import { countLandmarks, IBUG_68, type Landmarks } from '@voxface/landmarks';

const CLOSED = ['right-eye', 'left-eye', 'outer-lips', 'inner-lips'];

/** Colour of a landmark: the hue wheel of the semantic volume, in index order. */
export function hueOf(index: number, count: number, alpha = 1): string {
  return `hsl(${(360 * index) / count} 95% 60% / ${alpha})`;
}

/**
 * Draws the 68 landmarks and the lines of each facial part; coordinates in canvas pixels.
 * @param sure probability of each landmark, 0..1: uncertain dots are faint.
 */
export function drawOverlay(
  context: CanvasRenderingContext2D,
  landmarks: Landmarks,
  scale = 1,
  sure?: ArrayLike<number>,
): void {
  const { points, dims } = landmarks;
  const count = countLandmarks(landmarks);
  const at = (i: number): [number, number] => [points[i * dims] + 0.5, points[i * dims + 1] + 0.5];
  context.lineWidth = 1.4 * scale;
  for (const [part, indices] of Object.entries(IBUG_68.groups)) {
    const certain = indices.reduce((sum, i) => sum + (sure?.[i] ?? 1), 0) / indices.length;
    context.strokeStyle = hueOf(indices[indices.length >> 1], count, 0.8 * (0.2 + 0.8 * certain));
    context.beginPath();
    for (const i of indices) context.lineTo(...at(i));
    if (CLOSED.includes(part)) context.closePath();
    context.stroke();
  }
  for (let i = 0; i < count; i++) {
    context.fillStyle = hueOf(i, count, 0.2 + 0.8 * (sure?.[i] ?? 1));
    context.beginPath();
    context.arc(...at(i), 2.2 * scale, 0, 2 * Math.PI);
    context.fill();
  }
}
