import type { DataType, Tensor, TensorInfo, TypedArray } from '@tensorflow/tfjs-core';

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
