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
