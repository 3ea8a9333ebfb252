import type { Tensor, TensorInfo, TypedArray } from '@tensorflow/tfjs-core';
import type { NativeAttribute, NativeBackend, NativeBinding } from './run-native.ts';
import type { GraphAttribute, GraphNode } from './saved-model.ts';

/** The operations that a function ran, as a graph. */
export interface Trace {
  readonly nodes: readonly GraphNode[];
  /** Name of the placeholder of every input; undefined for one that holds the values of another. */
  readonly inputs: readonly (string | undefined)[];
  /** `node:output` of every result. */
  readonly outputs: readonly string[];
  /** Of each `node:output`. */
  readonly shapes: ReadonlyMap<string, readonly number[]>;
}

let tracing = false;

/** Whether operations are being traced: kernels that exist for speed alone stay out of the way of the graph's own optimizer. */
export function isTracing(): boolean {
  return tracing;
}

/**
 * Runs a function and notes every operation that TensorFlow executes for it, below the kernels of TensorFlow.js: any kernel
 * can be traced. Inputs become placeholders, all other tensors that are read are constants with the values they have.
 * @param body returns the results; they must be alive when it returns.
 * @throws Error when the function reads the values of a tensor that it computed or was given.
 */
export function traceOperations(
  native: NativeBackend,
  inputs: readonly Tensor[],
  body: () => readonly TensorInfo[],
): Trace {
  const { binding } = native;
  const nodes: GraphNode[] = [];
  const sources = new Map<number, string>();
  const infos = new Map<number, { shape: number[]; dtype: number }>();
  const shapes = new Map<string, readonly number[]>();
  const constants = new Set<number>();
  const addConstant = (id: number, shape: readonly number[], dtype: number, values: TypedArray): void => {
    const name = `constant${nodes.length}`;
    const content = new Uint8Array(values.buffer, values.byteOffset, values.byteLength).slice();
    const attributes: GraphNode['attributes'] = {
      dtype: { kind: 'type', value: dtype },
      value: { kind: 'tensor', dtype, shape, content },
    };
    nodes.push({ name, operation: 'Const', inputs: [], attributes });
    sources.set(id, `${name}:0`);
    constants.add(id);
  };
  const sourceOf = (id: number): string => {
    if (!sources.has(id)) {
      const { shape, dtype } = infos.get(id)!;
      addConstant(id, shape, dtype, binding.tensorDataSync(id));
    }
    return sources.get(id)!;
  };
  const placeholders = native.getInputTensorIds(inputs).map((id, i) => {
    if (sources.has(id)) return undefined;
    const name = `input${i}`;
    const { shape, dtype } = native.tensorMap.get(inputs[i].dataId);
    const attributes: GraphNode['attributes'] = {
      dtype: { kind: 'type', value: dtype },
      shape: { kind: 'shape', value: inputs[i].shape.length === shape.length ? inputs[i].shape : shape },
    };
    nodes.push({ name, operation: 'Placeholder', inputs: [], attributes });
    sources.set(id, `${name}:0`);
    shapes.set(`${name}:0`, shape);
    return name;
  });
  const getIds = native.getInputTensorIds;
  const watched: Partial<NativeBinding> = {
    createTensor(shape: readonly number[], dtype: number, values: TypedArray) {
      const id = binding.createTensor(shape, dtype, values);
      addConstant(id, shape, dtype, values);
      return id;
    },
    executeOp(name: string, attributes: readonly NativeAttribute[], ids: readonly number[], outputs: number) {
      const read = ids.map(sourceOf);
      const results = binding.executeOp(name, attributes, ids, outputs);
      if (name === 'Reshape' && String(shapes.get(read[0])) === String(results[0].shape)) {
        sources.set(results[0].id, read[0]);
        return results;
      }
      const node = `node${nodes.length}`;
      nodes.push({
        name: node,
        operation: name,
        inputs: read,
        attributes: Object.fromEntries(attributes.map((given) => [given.name, attributeOf(given, binding)])),
      });
      for (const [i, { id, shape }] of results.entries()) {
        sources.set(id, `${node}:${i}`);
        shapes.set(`${node}:${i}`, shape);
      }
      return results;
    },
    tensorDataSync(id: number) {
      if (sources.has(id) && !constants.has(id)) {
        throw new Error(
          'traceOperations: values of tensors must not be read while operations are traced, got a read (return the tensor and read it afterwards)',
        );
      }
      return binding.tensorDataSync(id);
    },
  };
  native.binding = Object.create(binding, Object.getOwnPropertyDescriptors(watched)) as NativeBinding;
  native.getInputTensorIds = (tensors) => {
    const ids = getIds.call(native, tensors);
    tensors.forEach(({ dataId }, i) => {
      if (dataId) infos.set(ids[i], native.tensorMap.get(dataId));
    });
    return ids;
  };
  tracing = true;
  try {
    const outputs = native.getInputTensorIds(body()).map(sourceOf);
    return { nodes, inputs: placeholders, outputs, shapes };
  } finally {
    tracing = false;
    native.binding = binding;
    native.getInputTensorIds = getIds;
  }
}

/** What the addon makes of an attribute. */
function attributeOf({ name, type, value }: NativeAttribute, binding: NativeBinding): GraphAttribute {
  switch (type) {
    case binding.TF_ATTR_STRING:
      return { kind: 'string', value: String(value) };
    case binding.TF_ATTR_INT:
      return Array.isArray(value) ? { kind: 'ints', value } : { kind: 'int', value: Number(value) };
    case binding.TF_ATTR_FLOAT:
      return Array.isArray(value) ? { kind: 'floats', value } : { kind: 'float', value: Number(value) };
    case binding.TF_ATTR_BOOL:
      return Array.isArray(value) ? { kind: 'bools', value } : { kind: 'bool', value: Boolean(value) };
    case binding.TF_ATTR_TYPE:
      return { kind: 'type', value: Number(value) };
    case binding.TF_ATTR_SHAPE:
      return { kind: 'shape', value: value as number[] };
    default:
      throw new Error(
        `traceOperations: attributes are of TensorFlow's known types, got type ${type} of ${name}`,
      );
  }
}
