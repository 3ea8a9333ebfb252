import { toHalf } from '@voxface/models';
import protobuf from 'protobufjs/minimal.js';
/** Element types of ONNX tensors that this package writes (`TensorProto.DataType`). */
export const ELEMENT_TYPES = { float32: 1, int8: 3, int64: 7, float16: 10 } as const;

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

type Writer = protobuf.Writer;

/** `AttributeProto.AttributeType`. */
const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, tensor: 4, ints: 7 } as const;

const PRODUCER = 'voxface';
const IR_VERSION = 8;

/**
 * Bytes of an ONNX file. Field numbers are those of onnx.proto3 (IR version 8); protobufjs writes the wire
 * format, and nothing is compiled at run time, so this works under a strict content security policy.
 */
export function encodeModel(model: OnnxModel): Uint8Array {
  const writer = protobuf.Writer.create();
  writer.uint32(tag(1, 0)).int64(IR_VERSION);
  writer.uint32(tag(2, 2)).string(PRODUCER);
  message(writer, 7, (w) => writeGraph(w, model));
  message(writer, 8, (w) => w.uint32(tag(1, 2)).string('').uint32(tag(2, 0)).int64(model.opset));
  for (const [key, value] of Object.entries(model.metadata)) {
    message(writer, 14, (w) => w.uint32(tag(1, 2)).string(key).uint32(tag(2, 2)).string(value));
  }
  return writer.finish();
}

function tag(field: number, wireType: 0 | 2 | 5): number {
  return ((field << 3) | wireType) >>> 0;
}

/** A nested message with its length in front. */
function message(writer: Writer, field: number, write: (writer: Writer) => unknown): void {
  writer.uint32(tag(field, 2)).fork();
  write(writer);
  writer.ldelim();
}

function writeGraph(writer: Writer, model: OnnxModel): void {
  for (const node of model.nodes) message(writer, 1, (w) => writeNode(w, node));
  writer.uint32(tag(2, 2)).string(model.name);
  for (const tensor of model.initializers) message(writer, 5, (w) => writeTensor(w, tensor));
  writer.uint32(tag(10, 2)).string(model.description);
  for (const info of model.inputs) message(writer, 11, (w) => writeInfo(w, info));
  for (const info of model.outputs) message(writer, 12, (w) => writeInfo(w, info));
}

function writeNode(writer: Writer, node: GraphNode): void {
  for (const name of node.inputs) writer.uint32(tag(1, 2)).string(name);
  for (const name of node.outputs) writer.uint32(tag(2, 2)).string(name);
  writer.uint32(tag(3, 2)).string(node.name);
  writer.uint32(tag(4, 2)).string(node.type);
  for (const [name, value] of Object.entries(node.attributes)) {
    message(writer, 5, (w) => writeAttribute(w, name, value));
  }
}

function writeAttribute(writer: Writer, name: string, value: AttributeValue): void {
  writer.uint32(tag(1, 2)).string(name);
  let type: number;
  if (typeof value === 'number') {
    writer.uint32(tag(3, 0)).int64(value);
    type = ATTRIBUTE_TYPES.int;
  } else if (typeof value === 'string') {
    writer.uint32(tag(4, 2)).string(value);
    type = ATTRIBUTE_TYPES.string;
  } else if ('float' in value) {
    writer.uint32(tag(2, 5)).float(value.float);
    type = ATTRIBUTE_TYPES.float;
  } else if ('tensor' in value) {
    message(writer, 5, (w) => writeTensor(w, value.tensor));
    type = ATTRIBUTE_TYPES.tensor;
  } else {
    message(writer, 8, (w) => {
      for (const v of value) w.int64(v);
    });
    type = ATTRIBUTE_TYPES.ints;
  }
  writer.uint32(tag(20, 0)).int32(type);
}

function writeTensor(writer: Writer, tensor: Initializer): void {
  if (tensor.dims.length > 0) {
    message(writer, 1, (w) => {
      for (const d of tensor.dims) w.int64(d);
    });
  }
  writer.uint32(tag(2, 0)).int32(ELEMENT_TYPES[tensor.type]);
  writer.uint32(tag(8, 2)).string(tensor.name);
  writer.uint32(tag(9, 2)).bytes(rawBytes(tensor));
}

/** Little-endian bytes, as ONNX keeps raw data. */
function rawBytes({ type, data }: Initializer): Uint8Array {
  if (type === 'float16') return halfBytes(data);
  if (type === 'int8') return new Uint8Array(Int8Array.from(data).buffer);
  if (type === 'float32') {
    const view = new DataView(new ArrayBuffer(data.length * 4));
    for (let i = 0; i < data.length; i++) view.setFloat32(4 * i, data[i], true);
    return new Uint8Array(view.buffer);
  }
  const view = new DataView(new ArrayBuffer(data.length * 8));
  for (let i = 0; i < data.length; i++) view.setBigInt64(8 * i, BigInt(data[i]), true);
  return new Uint8Array(view.buffer);
}

function writeInfo(writer: Writer, info: TensorInfo): void {
  writer.uint32(tag(1, 2)).string(info.name);
  message(writer, 2, (type) =>
    message(type, 1, (tensor) => {
      tensor.uint32(tag(1, 0)).int32(ELEMENT_TYPES[info.type]);
      message(tensor, 2, (shape) => {
        for (const dim of info.dims) {
          message(shape, 1, (d) =>
            typeof dim === 'string' ? d.uint32(tag(2, 2)).string(dim) : d.uint32(tag(1, 0)).int64(dim),
          );
        }
      });
    }),
  );
}

/**
 * Little-endian bytes of values rounded to half precision, ties to even.
 * @throws RangeError when a value is beyond the largest half (65504).
 */
export function halfBytes(values: ArrayLike<number>): Uint8Array {
  for (let i = 0; i < values.length; i++) {
    if (!(Math.abs(values[i]) < 65520)) {
      throw new RangeError(`halfBytes: half precision ends at 65504, got ${values[i]} (export as float32)`);
    }
  }
  const words = new DataView(new ArrayBuffer(values.length * 2));
  toHalf(Float32Array.from(values)).forEach((word, i) => {
    words.setUint16(2 * i, word, true);
  });
  return new Uint8Array(words.buffer);
}
