import type { FaceModel } from './face-model.ts';

/**
 * Vertices of the model for given weights: mean + identity + expression.
 * @param identity [identity count] standard deviations.
 * @param expression [expression count].
 * @param count how many vertices, from the first. Default: all.
 * @returns [count, 3] head axes, model units.
 */
export function reconstructVertices(
  model: FaceModel,
  identity: ArrayLike<number>,
  expression: ArrayLike<number>,
  count: number = model.vertexCount,
): Float32Array {
  const vertices = model.mean.slice(0, count * 3);
  for (const [modes, weights] of [
    [model.identity, identity],
    [model.expression, expression],
  ] as const) {
    for (let mode = 0; mode < modes.count; mode++) {
      const weight = weights[mode];
      if (!weight) continue;
      const offsets = modes.offsets.subarray(mode * model.mean.length, mode * model.mean.length + count * 3);
      for (let i = 0; i < offsets.length; i++) vertices[i] += weight * offsets[i];
    }
  }
  return vertices;
}
