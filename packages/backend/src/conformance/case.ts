import { dispose, grads, setBackend, type Tensor, tensor, tidy } from '@tensorflow/tfjs-core';

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

/** Values of a case on one backend. */
export interface Evaluation {
  output: Float32Array;
  /** One per input; empty for a case that is not differentiable. */
  gradients: Float32Array[];
}

const STEP = 1e-3;

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** The case's inputs: seeded, the same on every backend. */
export function inputsOf(c: ConformanceCase): Float32Array[] {
  return c.shapes.map((shape, index) => {
    const values = normalValues(sizeOf(shape), 17 + index);
    return c.prepare === undefined ? values : values.map(c.prepare);
  });
}

/** The weights by which outputs are summed before differentiating. */
export function outputGradientOf(output: Float32Array): Float32Array {
  return normalValues(output.length, 1234);
}

async function read(tensors: Tensor[]): Promise<Float32Array[]> {
  const values = await Promise.all(tensors.map((t) => t.data<'float32'>()));
  dispose(tensors);
  return values;
}

function toTensors(c: ConformanceCase, inputs: Float32Array[]): Tensor[] {
  return inputs.map((values, index) => tensor(values, c.shapes[index]));
}

async function forward(c: ConformanceCase, inputs: Float32Array[]): Promise<Float32Array> {
  const [output] = await read([tidy(() => c.run(...toTensors(c, inputs)))]);
  return output;
}

/** Output and gradients of a case on a backend. */
export async function evaluateCase(c: ConformanceCase, backend: string): Promise<Evaluation> {
  await setBackend(backend);
  const inputs = inputsOf(c);
  const output = await forward(c, inputs);
  if (c.differentiable === false) return { output, gradients: [] };
  const results = tidy(() => {
    const tensors = toTensors(c, inputs);
    const shape = c.run(...tensors).shape;
    return grads(c.run as (...x: Tensor[]) => Tensor)(tensors, tensor(outputGradientOf(output), shape));
  });
  return { output, gradients: await read(results) };
}

/**
 * Largest disagreement between gradients and central differences along a random direction per input, both computed on
 * the backend, as a share of the gradient's norm.
 */
export async function differenceError(
  c: ConformanceCase,
  backend: string,
  evaluation: Evaluation,
): Promise<number> {
  await setBackend(backend);
  const inputs = inputsOf(c);
  const weights = outputGradientOf(evaluation.output);
  let worst = 0;
  for (const [index, gradient] of evaluation.gradients.entries()) {
    const direction = normalValues(gradient.length, 99 + index).map(Math.sign);
    const moved = async (step: number) => {
      const shifted = inputs.map((values, other) =>
        other === index ? values.map((value, i) => value + step * direction[i]) : values,
      );
      return dot(await forward(c, shifted), weights);
    };
    const numeric = ((await moved(STEP)) - (await moved(-STEP))) / (2 * STEP);
    const norm = Math.sqrt(dot(gradient, gradient));
    worst = Math.max(worst, Math.abs(numeric - dot(gradient, direction)) / Math.max(norm, 1e-6));
  }
  return worst;
}
