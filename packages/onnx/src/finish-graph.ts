import { encodeModel, type GraphNode, type Initializer, type TensorInfo } from './format/encode-model.ts';

import type { GraphBuilder } from './graph/graph-builder.ts';
import { materialize } from './graph/materialize.ts';
import { axisSize, type GraphValue } from './graph/value.ts';
import { foldBatchNormalization, foldPadding, foldScaling } from './optimize/fold.ts';

import { removeUnused } from './optimize/graph-passes.ts';
import { mergeParallelConvolutions } from './optimize/merge-parallel-convolutions.ts';

/** How weights are stored. `float16` halves the file; the runtime widens it once on loading and computes in float32. */
export type OnnxPrecision = 'float32' | 'float16';

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
  const laid = outputs.map(({ value, dims }) => materialize(builder, value, dims ?? value.axes));
  outputs.forEach(({ name }, i) => {
    builder.nodes.push({ type: 'Identity', name, inputs: [laid[i].name], outputs: [name], attributes: {} });
  });
  const names = outputs.map(({ name }) => name);
  foldPadding(builder, names);
  foldBatchNormalization(builder, names);
  foldScaling(builder, names);
  mergeParallelConvolutions(builder, names);
  mergeIdentities(builder, names);
  removeUnused(builder, names);
  const initializers = [...builder.initializers.values()];
  const halved = options.precision === 'float16' ? storeHalved(initializers) : { initializers, casts: [] };
  return encodeModel({
    name: options.name,
    description: options.description,
    metadata: options.metadata,
    opset: OPSET,
    nodes: [...halved.casts, ...builder.nodes],
    initializers: halved.initializers,
    inputs,
    outputs: laid.map((value, i) => ({
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

/** Kernels as half-precision constants, each widened by a `Cast` that runtimes evaluate when they load the file. */
function storeHalved(initializers: readonly Initializer[]): {
  initializers: Initializer[];
  casts: GraphNode[];
} {
  const casts: GraphNode[] = [];
  const stored = initializers.map((tensor): Initializer => {
    if (tensor.type !== 'float32' || tensor.dims.length < 2) return tensor;
    const name = `${tensor.name}_half`;
    const cast = { type: 'Cast', name: `${tensor.name}_cast`, attributes: { to: 1 } };
    casts.push({ ...cast, inputs: [name], outputs: [tensor.name] });
    return { ...tensor, name, type: 'float16' };
  });
  return { initializers: stored, casts };
}
