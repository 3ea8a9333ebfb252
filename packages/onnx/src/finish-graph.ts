import { encodeModel, type GraphNode, type Initializer, type TensorInfo } from './format/encode-model.ts';

import type { GraphBuilder } from './graph/graph-builder.ts';
import { materialize } from './graph/materialize.ts';
import { axisSize, type GraphValue } from './graph/value.ts';
import { foldBatchNormalization, foldPadding, foldScaling } from './optimize/fold.ts';

import { removeUnused } from './optimize/graph-passes.ts';
import { mergeParallelConvolutions } from './optimize/merge-parallel-convolutions.ts';

/**
 * How weights are stored. `float16` halves the file, `int8` (one scale per row of the first axis) quarters it; the runtime
 * widens them once on loading and computes in float32.
 */
export type OnnxPrecision = 'float32' | 'float16' | 'int8';

/** Operator set that is written; every operator used has its present meaning since 17. */
export const OPSET = 17;

/** Name of the dynamic first dimension. */
export const BATCH = 'batch';

/** A graph output: a value and the dimensions that it is to have. */
export interface GraphOutput {
  readonly name: string;
  readonly value: GraphValue;
  /** Dimensions as factors of the value's axes; by default the axes. */
  readonly dims?: GraphValue['dims'];
}

export interface FinishOptions {
  readonly name: string;
  readonly description: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly precision: OnnxPrecision;
}

/** Lays the outputs out, optimizes, and writes the file. */
export function finishGraph(
  builder: GraphBuilder,
  inputs: readonly TensorInfo[],
  outputs: readonly GraphOutput[],
  options: FinishOptions,
): Uint8Array {
  const results = outputs.map(({ value, dims }) => materialize(builder, value, dims ?? value.axes));
  outputs.forEach(({ name }, i) => {
    builder.nodes.push({
      type: 'Identity',
      name,
      inputs: [results[i].name],
      outputs: [name],
      attributes: {},
    });
  });
  const names = outputs.map(({ name }) => name);
  foldPadding(builder, names);
  foldBatchNormalization(builder, names);
  foldScaling(builder, names);
  mergeParallelConvolutions(builder, names);
  mergeIdentities(builder, names);
  removeUnused(builder, names);
  const initializers = [...builder.initializers.values()];
  const stored = storeWeights(initializers, options.precision);
  return encodeModel({
    name: options.name,
    description: options.description,
    metadata: options.metadata,
    opset: OPSET,
    nodes: [...stored.nodes, ...builder.nodes],
    initializers: stored.initializers,
    inputs,
    outputs: results.map((value, i) => ({
      name: names[i],
      type: 'float32',
      dims: value.dims.map((axis) => (axisSize(axis) < 0 ? BATCH : axisSize(axis))),
    })),
  });
}

/** Gives tensors the names of the outputs where nothing but an `Identity` stands between. */
function mergeIdentities(builder: GraphBuilder, outputs: readonly string[]): void {
  const written = new Set(builder.nodes.flatMap((node) => node.outputs));
  const newNames = new Map<string, string>();
  builder.nodes = builder.nodes.filter((node) => {
    const [from, to] = [node.inputs[0], node.outputs[0]];
    if (node.type !== 'Identity' || !outputs.includes(to)) return true;
    if (outputs.includes(from) || newNames.has(from) || !written.has(from)) return true;
    newNames.set(from, to);
    return false;
  });
  const rename = (name: string): string => newNames.get(name) ?? name;
  builder.nodes = builder.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
  }));
}

/** Smaller tensors gain nothing from 8 bits. */
const LEAST_ROUNDED = 4096;

/** Kernels in fewer bits, each widened by nodes that runtimes evaluate when they load the file. */
export function storeWeights(
  initializers: readonly Initializer[],
  precision: OnnxPrecision,
): { initializers: Initializer[]; nodes: GraphNode[] } {
  const nodes: GraphNode[] = [];
  const stored = initializers.flatMap((tensor): Initializer[] => {
    if (precision === 'float32' || tensor.type !== 'float32' || tensor.dims.length < 2) return [tensor];
    const name = `${tensor.name}_stored`;
    const cast = { type: 'Cast', name: `${tensor.name}_cast`, inputs: [name], attributes: { to: 1 } };
    if (precision === 'float16' || tensor.data.length < LEAST_ROUNDED) {
      nodes.push({ ...cast, outputs: [tensor.name] });
      return [{ ...tensor, name, type: 'float16' }];
    }
    const { steps, scales } = roundRows(tensor);
    const [widened, scale] = [`${tensor.name}_steps`, `${tensor.name}_scale`];
    nodes.push({ ...cast, outputs: [widened] });
    nodes.push({
      type: 'Mul',
      name: `${tensor.name}_mul`,
      inputs: [widened, scale],
      outputs: [tensor.name],
      attributes: {},
    });
    return [
      { ...tensor, name, type: 'int8', data: steps },
      {
        name: scale,
        type: 'float32',
        dims: tensor.dims.map((size, axis) => (axis === 0 ? size : 1)),
        data: scales,
      },
    ];
  });
  return { initializers: stored, nodes };
}

/** Each row of the first axis in steps of its largest value / 127. */
function roundRows({ dims, data }: Initializer): { steps: Float32Array; scales: Float32Array } {
  const size = data.length / dims[0];
  const steps = new Float32Array(data.length);
  const scales = new Float32Array(dims[0]);
  for (let row = 0; row < dims[0]; row++) {
    let largest = 0;
    for (let i = row * size; i < (row + 1) * size; i++) largest = Math.max(largest, Math.abs(data[i]));
    scales[row] = largest / 127 || 1;
    for (let i = row * size; i < (row + 1) * size; i++) steps[i] = Math.round(data[i] / scales[row]);
  }
  return { steps, scales };
}
