/** Steps along each path. */
const STEPS = 14;
/** Share of the way from the jaw vertex to the midline that a path covers. */
const REACH = 0.85;

/**
 * Paths over the cheek along which the visible contour slides as the head turns ("parallels" of Zhu et al., CVPR
 * 2015). The head is unrolled around its vertical axis; from each jaw vertex a line runs toward the midline:
 * level at the ears, rising to the mouth at the chin. Each path lists the nearest vertices, without repeats.
 * @param mean [v, 3] head axes (y down, z into the head).
 * @param landmarks [68] with the true 3D jaw line.
 * @param offsets [68, 3] of the landmarks from their vertices.
 * @param range first and last vertex that may serve.
 */
export function traceContourPaths(
  mean: Float32Array,
  landmarks: ArrayLike<number>,
  offsets: ArrayLike<number>,
  range: readonly [number, number],
): Uint32Array[] {
  const vertex = (index: number, axis: number): number =>
    mean[3 * landmarks[index] + axis] + offsets[3 * index + axis];
  const axisX = (vertex(0, 0) + vertex(16, 0)) / 2;
  const axisZ = (vertex(0, 2) + vertex(16, 2)) / 2;
  const lipY = vertex(57, 1);
  const count = range[1] - range[0] + 1;
  const radius = Math.abs(vertex(16, 0) - axisX);
  const unrolled = new Float64Array(count * 2);
  for (let i = 0; i < count; i++) {
    const at = 3 * (range[0] + i);
    unrolled[2 * i] = radius * Math.atan2(mean[at] - axisX, axisZ - mean[at + 2]);
    unrolled[2 * i + 1] = mean[at + 1];
  }
  return Array.from({ length: 17 }, (_, k) => {
    const fromU = radius * Math.atan2(vertex(k, 0) - axisX, axisZ - vertex(k, 2));
    const fromV = vertex(k, 1);
    const toU = fromU * (1 - REACH);
    const rise = Math.max(0, 1 - Math.abs(k - 8) / 6);
    const toV = fromV + rise * REACH * (lipY - fromV);
    const path: number[] = [];
    for (let step = 0; step <= STEPS; step++) {
      const t = step / STEPS;
      const best = nearest(unrolled, fromU + t * (toU - fromU), fromV + t * (toV - fromV)) + range[0];
      if (!path.includes(best)) path.push(best);
    }
    return Uint32Array.from(path);
  });
}

function nearest(points: Float64Array, u: number, v: number): number {
  let best = 0;
  let bestDistance = Infinity;
  for (let i = 0; i < points.length / 2; i++) {
    const distance = (points[2 * i] - u) ** 2 + (points[2 * i + 1] - v) ** 2;
    if (distance < bestDistance) {
      bestDistance = distance;
      best = i;
    }
  }
  return best;
}
