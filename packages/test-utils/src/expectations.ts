import * as tf from '@tensorflow/tfjs-core';
// Importing the layers registers the gradients of the core's kernels.
import '@tensorflow/tfjs-layers';

/** Tolerances by where a number was computed; `absolute + relative * |expected|` bounds the difference. */
export interface Tolerance {
  absolute?: number;
  relative?: number;
}

/** Double precision arithmetic in another order. */
export const DOUBLE_TOLERANCE: Tolerance = { absolute: 1e-12, relative: 1e-9 };
/** Single precision: one operation chain on any backend. */
export const SINGLE_TOLERANCE: Tolerance = { absolute: 1e-6, relative: 1e-5 };

/**
 * Compares two arrays of numbers; the error names the first and the worst failing index with both values.
 * @throws Error when lengths differ, a value is NaN on one side only, or a difference exceeds the tolerance.
 */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { absolute = 1e-6, relative = 1e-5 }: Tolerance = SINGLE_TOLERANCE,
): void {
  if (actual.length !== expected.length) {
    throw new Error(`expectClose: expected ${expected.length} values, got ${actual.length}`);
  }
  let failures = 0;
  let first = -1;
  let worst = -1;
  let worstExcess = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    const excess = difference / (absolute + relative * Math.abs(expected[i]));
    if (excess <= 1 || Object.is(actual[i], expected[i])) continue;
    failures++;
    if (first < 0) first = i;
    if (worst < 0 || !(excess <= worstExcess)) {
      worst = i;
      worstExcess = excess;
    }
  }
  if (failures === 0) return;
  const show = (i: number): string => `[${i}] got ${actual[i]}, expected ${expected[i]}`;
  throw new Error(
    `expectClose: ${failures} of ${expected.length} values differ by more than ${absolute} + ${relative} |expected|; ` +
      `first ${show(first)}; worst ${show(worst)}`,
  );
}

/** Largest absolute difference of two arrays. */
export function maxDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let most = Math.abs(actual.length - expected.length) > 0 ? Infinity : 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (!(difference <= most)) most = difference;
  }
  return most;
}

export interface GradientCheckOptions {
  /** Half width of the central difference. */
  step?: number;
  /** Share of the larger of both gradients' norm that a difference may have. */
  tolerance?: number;
  /** Elements checked per input, spread evenly; all when fewer. */
  samples?: number;
}

export const GRADIENT_CHECK_DEFAULTS: Required<GradientCheckOptions> = {
  step: 1e-2,
  tolerance: 1e-2,
  samples: 24,
};

/**
 * Checks the gradients of `f` on the current backend against central differences. Single precision limits what a
 * difference can show: keep values near 1 and let the tolerance be relative to the largest component.
 * @param f scalar function of the inputs; called inside `tidy`.
 * @param inputs tensors of any rank; not disposed.
 * @throws Error naming input, element, and both values of the worst mismatch.
 */
export async function expectGradient(
  f: (...inputs: tf.Tensor[]) => tf.Tensor,
  inputs: tf.Tensor[],
  options: GradientCheckOptions = {},
): Promise<void> {
  const {
    step = GRADIENT_CHECK_DEFAULTS.step,
    tolerance = GRADIENT_CHECK_DEFAULTS.tolerance,
    samples = GRADIENT_CHECK_DEFAULTS.samples,
  } = options;
  const scalarOf = (...tensors: tf.Tensor[]): tf.Scalar => tf.reshape(f(...tensors), []) as tf.Scalar;
  const gradients = tf.grads(scalarOf)(inputs);
  try {
    for (const [which, input] of inputs.entries()) {
      const analytic = Float32Array.from(await gradients[which].data());
      const values = Float32Array.from(await input.data());
      const scale = analytic.reduce((most: number, value: number) => Math.max(most, Math.abs(value)), 0);
      const stride = Math.max(1, Math.floor(values.length / samples));
      for (let i = 0; i < values.length; i += stride) {
        const at = async (shift: number): Promise<number> => {
          const moved = Float32Array.from(values);
          moved[i] += shift;
          const result = tf.tidy(() => {
            const replaced = [...inputs];
            replaced[which] = tf.tensor(moved, input.shape);
            return scalarOf(...replaced);
          });
          const [value] = await result.data();
          result.dispose();
          return value;
        };
        const numeric = ((await at(step)) - (await at(-step))) / (2 * step);
        const allowed = tolerance * Math.max(scale, Math.abs(numeric), 1e-6);
        if (!(Math.abs(numeric - analytic[i]) <= allowed)) {
          throw new Error(
            `expectGradient: input ${which} [${input.shape.join(', ')}], element ${i}: gradient ${analytic[i]}, ` +
              `central difference ${numeric}, allowed difference ${allowed} (${tf.getBackend()})`,
          );
        }
      }
    }
  } finally {
    tf.dispose(gradients);
  }
}

/**
 * Runs `run` once to warm up (caches, compiled programs), then `times` more, and checks that no tensor stays behind.
 * @param run creates, uses and disposes.
 * @throws Error with the number of tensors and bytes left per run.
 */
export async function expectNoLeak(run: () => unknown | Promise<unknown>, times = 2): Promise<void> {
  await run();
  const before = tf.memory();
  for (let i = 0; i < times; i++) await run();
  const after = tf.memory();
  if (after.numTensors !== before.numTensors) {
    throw new Error(
      `expectNoLeak: ${(after.numTensors - before.numTensors) / times} tensors and ` +
        `${(after.numBytes - before.numBytes) / times} bytes stay behind per run`,
    );
  }
}
