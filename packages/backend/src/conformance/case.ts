import type { Tensor } from '@tensorflow/tfjs-core';

/** One function of some tensors, to be compared between backends with its gradients. */
export interface ConformanceCase {
  /** Kernel that the case is about, as TensorFlow.js names it; its gradient kernels are exercised too. */
  kernel: string;
  /** Sizes and options, unique within the kernel. */
  name: string;
  /** Input shapes; each input is drawn from a seeded normal distribution. */
  shapes: number[][];
  /** Turns the normal values into values in the function's domain (e.g. positive, away from kinks). */
  prepare?: (value: number, index: number) => number;
  run: (...inputs: Tensor[]) => Tensor;
  /** False where the function has no gradient worth comparing. */
  differentiable?: boolean;
}

/** Uniform numbers in 0..1 from a seed (mulberry32). */
export function createUniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Standard normal numbers from a seed (Box-Muller). */
export function normalValues(count: number, seed: number): Float32Array {
  const uniform = createUniform(seed);
  return Float32Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    return radius * Math.cos(2 * Math.PI * uniform());
  });
}

/** Largest difference, as a share of the largest expected magnitude; infinite for NaN or unequal lengths. */
export function relativeError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let difference = 0;
  let scale = 0;
  for (let i = 0; i < expected.length; i++) {
    const here = Math.abs(actual[i] - expected[i]);
    if (Number.isNaN(here)) return Infinity;
    difference = Math.max(difference, here);
    scale = Math.max(scale, Math.abs(expected[i]));
  }
  return difference === 0 ? 0 : difference / scale;
}

/** Sum of products, accumulated in double precision. */
export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
