import {
  engine,
  getBackend,
  getKernel,
  type KernelFunc,
  registerKernel,
  type Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { NativeBackend } from './native-backend.ts';

/** Attributes of a TensorFlow operation; strings and booleans by value, numbers as floats, lists as integers. */
export type NativeAttributes = Readonly<Record<string, string | boolean | number | number[]>>;

/** Whether the current backend is TensorFlow's own (tfjs-node). */
export function isNative(): boolean {
  return getBackend() === 'tensorflow';
}

interface Operation {
  readonly name: string;
  readonly outputs: number;
  readonly types: readonly string[];
  readonly attributes: NativeAttributes;
}

/** Any operation as one kernel of the engine, so that whoever observes or times kernels sees it. */
const KERNEL = 'NativeOperation';

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
  const operation: Operation = { name, outputs, types, attributes };
  return engine().runKernel(KERNEL, inputs as never, operation as never) as unknown as Tensor[];
}

const runOperation: KernelFunc = ({ inputs, attrs, backend }) => {
  const native = backend as unknown as NativeBackend;
  const { binding } = native;
  const { name, outputs, types, attributes } = attrs as unknown as Operation;
  const typed = types.map((type) => ({ name: type, type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }));
  const others = Object.entries(attributes).map(([key, value]) => ({
    name: key,
    type: binding[ATTRIBUTE_TYPES[(Array.isArray(value) ? 'list' : typeof value) as AttributeKind]],
    value,
  }));
  return native.executeMultipleOutputs(
    name,
    [...typed, ...others],
    Object.values(inputs) as TensorInfo[],
    outputs,
  );
};

const ATTRIBUTE_TYPES = {
  string: 'TF_ATTR_STRING',
  boolean: 'TF_ATTR_BOOL',
  number: 'TF_ATTR_FLOAT',
  list: 'TF_ATTR_INT',
} as const;

type AttributeKind = keyof typeof ATTRIBUTE_TYPES;

if (!getKernel(KERNEL, 'tensorflow')) {
  registerKernel({ kernelName: KERNEL, backendName: 'tensorflow', kernelFunc: runOperation });
}
