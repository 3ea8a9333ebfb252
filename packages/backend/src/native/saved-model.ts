import { bytesField, float32, floatField, joinBytes, textField, varint, varintField } from './protobuf.ts';

/** Value of an attribute of an operation, tagged with its field in TensorFlow's AttrValue message. */
export type GraphAttribute =
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'int' | 'float' | 'type'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'shape'; readonly value: readonly number[] }
  | { readonly kind: 'ints' | 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'bools'; readonly value: readonly boolean[] }
  | {
      readonly kind: 'tensor';
      readonly dtype: number;
      readonly shape: readonly number[];
      readonly content: Uint8Array;
    };

/** An operation of a graph (NodeDef). */
export interface GraphNode {
  readonly name: string;
  /** Name of the TensorFlow operation. */
  readonly operation: string;
  /** `node:output` of each input. */
  readonly inputs: readonly string[];
  readonly attributes: Readonly<Record<string, GraphAttribute>>;
}

/** Tag of the one graph in the file. */
export const SAVED_MODEL_TAG = 'serve';

/** Version of the GraphDef format that the nodes are written in: that of TensorFlow 2.12, the oldest that is supported. */
const PRODUCER = 1395;

/** The file `saved_model.pb` (a SavedModel message) of one graph without variables. */
export function encodeSavedModel(nodes: readonly GraphNode[]): Uint8Array {
  const versions = bytesField(4, varintField(1, PRODUCER));
  const graph = joinBytes([...nodes.map((node) => bytesField(1, encodeNode(node))), versions]);
  const information = bytesField(1, textField(4, SAVED_MODEL_TAG));
  return joinBytes([varintField(1, 1), bytesField(2, joinBytes([information, bytesField(2, graph)]))]);
}

function encodeNode({ name, operation, inputs, attributes }: GraphNode): Uint8Array {
  return joinBytes([
    textField(1, name),
    textField(2, operation),
    ...inputs.map((input) => textField(3, input)),
    ...Object.entries(attributes).map(([key, value]) =>
      bytesField(5, joinBytes([textField(1, key), bytesField(2, encodeAttribute(value))])),
    ),
  ]);
}

function encodeAttribute(attribute: GraphAttribute): Uint8Array {
  switch (attribute.kind) {
    case 'string':
      return textField(2, attribute.value);
    case 'int':
      return varintField(3, attribute.value);
    case 'float':
      return floatField(4, attribute.value);
    case 'bool':
      return varintField(5, Number(attribute.value));
    case 'type':
      return varintField(6, attribute.value);
    case 'shape':
      return bytesField(7, encodeShape(attribute.value));
    case 'ints':
      return packedField(3, attribute.value.map(varint));
    case 'floats':
      return packedField(4, attribute.value.map(float32));
    case 'bools':
      return packedField(
        5,
        attribute.value.map((value) => varint(Number(value))),
      );
    case 'tensor': {
      const { dtype, shape, content } = attribute;
      return bytesField(
        8,
        joinBytes([varintField(1, dtype), bytesField(2, encodeShape(shape)), bytesField(4, content)]),
      );
    }
  }
}

function encodeShape(shape: readonly number[]): Uint8Array {
  return joinBytes(shape.map((size) => bytesField(2, varintField(1, size))));
}

/** A list of an attribute: numbers one after the other in one field. */
function packedField(field: number, numbers: readonly Uint8Array[]): Uint8Array {
  return bytesField(1, bytesField(field, joinBytes(numbers)));
}
