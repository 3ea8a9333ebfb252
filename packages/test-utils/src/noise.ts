import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** What these tests need of a tfjs-layers weight. */
export interface NamedWeight {
  readonly originalName: string;
  readonly shape: number[];
  read(): tf.Tensor;
  write(value: tf.Tensor): void;
}

export const weightsOf = (network: LayersModel): NamedWeight[] => network.weights as unknown as NamedWeight[];

/** 32-bit FNV-1a; with `noise` the same numbers as in `scripts/golden/models.py`. */
function hashOf(name: string): number {
  let value = 0x811c9dc5;
  for (const char of name) value = Math.imul(value ^ char.charCodeAt(0), 0x01000193) >>> 0;
  return value;
}

/** Uniform numbers in [0, 1) that depend on the name and the index alone. */
export function noise(name: string, count: number): Float64Array {
  const start = hashOf(name);
  return Float64Array.from({ length: count }, (_, i) => {
    let z = (Math.imul(i, 0x9e3779b9) + start) >>> 0;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad) >>> 0;
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97) >>> 0;
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32;
  });
}

function draw(name: string, shape: number[]): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const kind = name.split('/').at(-1);
  const fanIn = shape.slice(0, -1).reduce((a, b) => a * b, 1);
  const value = (u: number): number => {
    if (kind === 'kernel') return (2 * u - 1) * Math.sqrt(6 / fanIn);
    if (kind === 'gamma') return 0.7 + 0.6 * u;
    if (kind === 'moving_variance') return 0.5 + u;
    return 0.4 * u - 0.2;
  };
  return tf.tensor(Float32Array.from(noise(name, size), value), shape);
}

/** Gives every weight of a network values that depend on its name alone. */
export function fillWeights(network: LayersModel): void {
  for (const weight of weightsOf(network)) {
    const value = draw(weight.originalName, weight.shape);
    weight.write(value);
    value.dispose();
  }
}
