/** Element types of ONNX tensors that this package writes (`TensorProto.DataType`). */
export const ELEMENT_TYPES = { float32: 1, int64: 7, float16: 10 } as const;

export type ElementType = keyof typeof ELEMENT_TYPES;

/** A constant of the graph. Int64 values must be safe integers. */
export interface Initializer {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly number[];
  /** Row-major. Half-precision tensors hold their float32 values here and are rounded when written. */
  readonly data: Float32Array | readonly number[];
}

/** Floats are written as `{ float: v }`, so that 1 the float and 1 the integer stay apart. */
export type AttributeValue =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly tensor: Initializer };

/** One operation of the graph. */
export interface GraphNode {
  readonly type: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

/** A named input or output; a string dimension is dynamic and carries its name. */
export interface TensorInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly dims: readonly (number | string)[];
}

/** The part of an ONNX model that this package writes. */
export interface OnnxModel {
  readonly name: string;
  readonly nodes: readonly GraphNode[];
  readonly initializers: readonly Initializer[];
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly description: string;
  readonly opset: number;
}
