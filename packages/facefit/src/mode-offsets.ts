import type { ModelArray } from './model-arrays.ts';

/** Steps in an array from one vertex, axis and mode to the next. */
interface Strides {
  readonly modes: number;
  readonly vertex: number;
  readonly axis: number;
  readonly mode: number;
}

/**
 * Copies modes of a linear basis as [n, v, 3], whichever way the file keeps them: [3v, n] (BFM: x, y, z of the first
 * vertex, of the second, ...), [n, 3v], [v, 3, n] (FLAME) or [n, v, 3].
 * @param vertices v.
 * @param from first mode to copy.
 * @param count how many; default: the rest.
 * @throws Error when the shape is none of these.
 */
export function copyModes(
  array: ModelArray,
  vertices: number,
  describe: string,
  from = 0,
  count?: number,
): Float32Array {
  const { modes, vertex, axis, mode } = stridesOf(array, vertices, describe);
  const taken = count ?? modes - from;
  const out = new Float32Array(taken * vertices * 3);
  let at = 0;
  for (let m = from; m < from + taken; m++) {
    for (let v = 0; v < vertices; v++) {
      for (let a = 0; a < 3; a++) out[at++] = array.data[m * mode + v * vertex + a * axis];
    }
  }
  return out;
}

/** Number of modes of a basis of `vertices` vertices. */
export function countModes(array: ModelArray, vertices: number, describe: string): number {
  return stridesOf(array, vertices, describe).modes;
}

function stridesOf(array: ModelArray, v: number, describe: string): Strides {
  const shape = array.shape.length === 1 ? [...array.shape, 1] : array.shape;
  const step = stepsOf(shape, array.columnMajor);
  if (shape.length === 2) {
    if (shape[0] === 3 * v) return { modes: shape[1], vertex: 3 * step[0], axis: step[0], mode: step[1] };
    if (shape[1] === 3 * v) return { modes: shape[0], vertex: 3 * step[1], axis: step[1], mode: step[0] };
    if (shape[0] === v && shape[1] === 3) return { modes: 1, vertex: step[0], axis: step[1], mode: 0 };
  }
  if (shape.length === 3) {
    if (shape[0] === v && shape[1] === 3)
      return { modes: shape[2], vertex: step[0], axis: step[1], mode: step[2] };
    if (shape[1] === v && shape[2] === 3)
      return { modes: shape[0], vertex: step[1], axis: step[2], mode: step[0] };
  }
  throw new Error(
    `copyModes: ${describe} must be ${3 * v} x n, n x ${3 * v}, ${v} x 3 x n or n x ${v} x 3 for ${v} vertices, got ${array.shape.join(' x ')}`,
  );
}

function stepsOf(shape: readonly number[], columnMajor: boolean): number[] {
  const steps = shape.map(() => 1);
  if (columnMajor) for (let i = 1; i < shape.length; i++) steps[i] = steps[i - 1] * shape[i - 1];
  else for (let i = shape.length - 2; i >= 0; i--) steps[i] = steps[i + 1] * shape[i + 1];
  return steps;
}
