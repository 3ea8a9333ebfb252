import type { Tensor, TensorInfo } from '@tensorflow/tfjs-core';

/** An attribute of a TensorFlow operation, as tfjs-node's addon takes it. */
export interface NativeAttribute {
  name: string;
  /** One of the binding's TF_ATTR_ constants. */
  type: number;
  value: unknown;
}

/** The parts of tfjs-node's backend that run TensorFlow operations by name (stable in TensorFlow.js 4.x). */
export interface NativeBackend {
  readonly binding: Readonly<Record<string, number>>;
  executeSingleOutput(name: string, attributes: NativeAttribute[], inputs: TensorInfo[]): Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: NativeAttribute[],
    inputs: TensorInfo[],
    count: number,
  ): Tensor[];
}

/** Attributes of an operation on float32 tensors with channels last, beyond its own. */
export function floatAttributes({ binding }: NativeBackend): NativeAttribute[] {
  return [
    { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'data_format', type: binding.TF_ATTR_STRING, value: 'NHWC' },
  ];
}
