import { backend, getBackend, type Tensor, type TensorInfo } from '@tensorflow/tfjs-core';

/** Attributes of a TensorFlow operation; strings and booleans by value, numbers as floats, lists as integers. */
export type NativeAttributes = Readonly<Record<string, string | boolean | number | number[]>>;

/** The part of tfjs-node's backend that runs any TensorFlow operation by its name (stable in TensorFlow.js 4.x). */
interface NativeBackend {
  readonly binding: Readonly<Record<string, number>>;
  executeMultipleOutputs(
    name: string,
    attributes: unknown[],
    inputs: readonly TensorInfo[],
    count: number,
  ): Tensor[];
}

/** Whether the current backend is TensorFlow's own (tfjs-node). */
export function isNative(): boolean {
  return getBackend() === 'tensorflow';
}

/**
 * Runs a TensorFlow operation that TensorFlow.js has no kernel for. No gradient is recorded: call it inside
 * `customGrad` or a kernel. Tensors must be float32.
 * @param types names of its type attributes, usually `['T']`.
 */
export function runNative(
  name: string,
  inputs: readonly TensorInfo[],
  outputs: number,
  types: readonly string[],
  attributes: NativeAttributes = {},
): Tensor[] {
  const native = backend() as unknown as NativeBackend;
  const { binding } = native;
  const typed = types.map((type) => ({ name: type, type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }));
  const others = Object.entries(attributes).map(([key, value]) => ({
    name: key,
    type: binding[ATTRIBUTE_TYPES[(Array.isArray(value) ? 'list' : typeof value) as AttributeKind]],
    value,
  }));
  return native.executeMultipleOutputs(name, [...typed, ...others], inputs, outputs);
}

const ATTRIBUTE_TYPES = {
  string: 'TF_ATTR_STRING',
  boolean: 'TF_ATTR_BOOL',
  number: 'TF_ATTR_FLOAT',
  list: 'TF_ATTR_INT',
} as const;

type AttributeKind = keyof typeof ATTRIBUTE_TYPES;
