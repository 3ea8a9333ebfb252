import { concat, reshape, type Tensor, tensor, tidy, type Variable } from '@tensorflow/tfjs-core';

/** The part of a tfjs-layers weight that training needs. */
export interface WeightVariable {
  readonly name: string;
  readonly originalName?: string;
  readonly shape: readonly (number | null)[];
  read(): Tensor;
  write(value: Tensor): unknown;
}

/**
 * An ordered list of weights seen as one flat vector. The order is that of the list and is part of every
 * checkpoint (`signature`).
 */
export interface ParameterSet {
  /** Total number of values. */
  readonly size: number;
  readonly variables: readonly Variable[];
  /** Shapes in order; two sets with equal signatures can exchange vectors. */
  readonly signature: string;
  /** Downloads the values [size]. */
  read(): Promise<Float32Array>;
  /** Uploads the values [size]. */
  write(values: Float32Array): void;
  /** Concatenates one tensor per weight (missing ones count as zero) into a flat tensor [size]. */
  flatten(tensors: Record<string, Tensor>): Tensor;
  /** Views of the weights' tensors as they are now, to be given to `restore`. */
  snapshot(): Tensor[];
  /** Writes a snapshot back and disposes it. */
  restore(snapshot: readonly Tensor[]): void;
}

/** Wraps weights, for example `model.trainableWeights`. */
export function createParameterSet(weights: readonly WeightVariable[]): ParameterSet {
  const shapes = weights.map((weight) => weight.shape as number[]);
  const sizes = shapes.map((shape) => shape.reduce((a, b) => a * b, 1));
  const size = sizes.reduce((a, b) => a + b, 0);
  const variables = weights.map((weight) => weight.read() as Variable);
  const flat = (tensors: readonly Tensor[]): Tensor =>
    tensors.length === 0 ? tensor([], [0]) : concat(tensors.map((t, i) => reshape(t, [sizes[i]])));
  return {
    size,
    variables,
    signature: shapes.map((shape) => shape.join('x')).join(','),
    async read() {
      const joined = tidy(() => flat(weights.map((weight) => weight.read())));
      const values = Float32Array.from(await joined.data());
      joined.dispose();
      return values;
    },
    write(values) {
      if (values.length !== size) {
        throw new RangeError(`ParameterSet.write: expected ${size} values, got ${values.length}`);
      }
      let start = 0;
      weights.forEach((weight, i) => {
        const value = tensor(values.slice(start, start + sizes[i]), shapes[i], 'float32');
        weight.write(value);
        value.dispose();
        start += sizes[i];
      });
    },
    flatten: (tensors) =>
      tidy(() =>
        flat(variables.map((v, i) => tensors[v.name] ?? tensor(new Float32Array(sizes[i]), shapes[i]))),
      ),
    snapshot: () => weights.map((weight) => weight.read().clone()),
    restore(snapshot) {
      weights.forEach((weight, i) => {
        weight.write(snapshot[i]);
        snapshot[i].dispose();
      });
    },
  };
}
