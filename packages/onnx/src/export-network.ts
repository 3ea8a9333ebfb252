import type { LayersModel } from '@tensorflow/tfjs-layers';
import { BATCH, finishGraph, type OnnxPrecision } from './finish-graph.ts';
import type { TensorInfo } from './format/messages.ts';
import { convertNetwork, readWeights } from './graph/convert-network.ts';
import { GraphBuilder } from './graph/graph-builder.ts';
import { type Atom, createAxis, type GraphValue, plainValue } from './graph/value.ts';

export interface ExportNetworkOptions {
  precision?: OnnxPrecision;
  /** Key-value pairs that are written into the file. */
  metadata?: Readonly<Record<string, string>>;
}

export const EXPORT_NETWORK_DEFAULTS: Required<ExportNetworkOptions> = { precision: 'float32', metadata: {} };

/**
 * Writes any functional or sequential tfjs-layers model made of supported layers (`SUPPORTED_LAYERS`) as ONNX.
 * Inputs and outputs keep the shapes and layouts of the source and are named after their layers; the batch is
 * dynamic. Inside, the graph is channels-first.
 * @throws RangeError naming a layer that has no ONNX form, or an input with open sizes beside the batch.
 */
export async function exportNetwork(
  model: LayersModel,
  options: ExportNetworkOptions = {},
): Promise<Uint8Array> {
  const { precision, metadata } = { ...EXPORT_NETWORK_DEFAULTS, ...options };
  const builder = new GraphBuilder();
  const batch: Atom = { size: null };
  const inputs = model.inputs.map((input, i) =>
    addInput(builder, model.inputNames[i], input.shape.slice(1) as number[], batch),
  );
  const values = convertNetwork(
    builder,
    model,
    await readWeights(model),
    inputs.map(({ value }) => value),
  );
  const outputs = values.map((value, i) => ({ name: builder.unique(outputName(model, i)), value }));
  return finishGraph(
    builder,
    inputs.map(({ info }) => info),
    outputs,
    { name: model.name, description: 'Written by @voxface/onnx', metadata, precision },
  );
}

/** The output layer's name; its node was given it, so the tensor that leaves the graph is marked. */
function outputName(model: LayersModel, index: number): string {
  return model.outputNames.length === 1 ? 'output' : `output_${model.outputNames[index]}`;
}

/** Declares a float input [batch, ...shape]. */
export function addInput(
  builder: GraphBuilder,
  hint: string,
  shape: readonly (number | null)[],
  batch: Atom,
): { info: TensorInfo; value: GraphValue } {
  const name = builder.unique(hint);
  const open = shape.findIndex((size) => !(Number(size) > 0));
  if (open >= 0) {
    throw new RangeError(
      `exportNetwork: sizes after the batch must be fixed, got ${shape[open]} at axis ${open + 1} of input '${hint}' (build the model with a full input shape)`,
    );
  }
  const sizes = shape as readonly number[];
  return {
    info: { name, type: 'float32', dims: [BATCH, ...sizes] },
    value: plainValue(name, [[batch], ...sizes.map((size) => createAxis(size))]),
  };
}
