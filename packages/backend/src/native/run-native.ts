import {
  backend,
  type DataType,
  engine,
  getBackend,
  getKernel,
  type KernelFunc,
  registerKernel,
  type Tensor,
  type TensorInfo,
  type TypedArray,
} from '@tensorflow/tfjs-core';

/** Attributes of a TensorFlow operation; strings and booleans by value, numbers as floats, lists as integers. */
export type NativeAttributes = Readonly<Record<string, string | boolean | number | number[]>>;

/** Whether the current backend is TensorFlow's own (tfjs-node). */
export function isNative(): boolean {
  return getBackend() === 'tensorflow';
}

/**
 * Operations of the library that `voxface setup-node` compiles from `kernels/native`. It registers them where the processor has AVX2 and no
 * wider vectors; elsewhere TensorFlow's own operations stay.
 */
export const OWN_OPERATIONS = {
  /** (x, dy) to the gradients of filter and bias. */
  filterGradient: 'VoxfaceFilterGradient',
  /** (x, scale, offset, mean, variance) to y, new statistics, the batch's own. */
  normalization: 'VoxfaceNormalization',
  /** (dy, x, scale, offset, mean, variance, [other]) to the gradients of x, of scale, of offset. */
  normalizationGradient: 'VoxfaceNormalizationGradient',
} as const;

/** Whether the current backend is TensorFlow's own with `OWN_OPERATIONS`. */
export function hasOwnOperations(): boolean {
  return isNative() && (backend() as unknown as NativeBackend).hasOwnOperations === true;
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

/** An attribute as tfjs-node gives it to its addon; `type` is one of the addon's `TF_ATTR_*`. */
export interface NativeAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: unknown;
}

/** A tensor of the addon; `dtype` is TensorFlow's number of the type. */
export interface NativeTensor {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/** tfjs-node's addon (the same in all of TensorFlow.js 4.x). */
export interface NativeBinding {
  readonly [constant: `TF_${string}`]: number;
  createTensor(shape: readonly number[], dtype: number, values: TypedArray): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): TypedArray;
  executeOp(
    name: string,
    attributes: readonly NativeAttribute[],
    inputs: readonly number[],
    outputs: number,
  ): NativeTensor[];
  loadSavedModel(directory: string, tags: string): number;
  deleteSavedModel(id: number): void;
  /** Names are joined by commas. */
  runSavedModel(
    id: number,
    inputs: readonly number[],
    inputNames: string,
    outputNames: string,
  ): NativeTensor[];
}

/** The parts of tfjs-node's backend that lie under its kernels (stable in TensorFlow.js 4.x). */
export interface NativeBackend {
  /** Set by `loadTfjsNode`, see `OWN_OPERATIONS`. */
  hasOwnOperations?: boolean;
  readonly isUsingGpuDevice: boolean;
  binding: NativeBinding;
  readonly tensorMap: { get(dataId: object): { readonly shape: number[]; readonly dtype: number } };
  /** Ids of the tensors in the addon; uploads those that were only written so far. */
  getInputTensorIds(tensors: readonly TensorInfo[]): number[];
  createOutputTensor(tensor: NativeTensor): Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: readonly NativeAttribute[],
    inputs: readonly TensorInfo[],
    count: number,
  ): Tensor[];
  getDTypeInteger(dtype: DataType): number;
}
