import type { LayersModel } from '@tensorflow/tfjs-layers';
import { withDefaults } from '@voxface/landmarks';
import type { FaceShapeModel } from '@voxface/models';
import { BATCH, finishGraph, type GraphOutput, type OnnxPrecision } from './finish-graph.ts';
import type { TensorInfo } from './format/encode-model.ts';
import { convertNetwork, readWeights } from './graph/convert-network.ts';
import { GraphBuilder } from './graph/graph-builder.ts';
import { type Atom, createAxis, type GraphValue, plainValue, reshapeValue } from './graph/value.ts';
import { writeModelInfo } from './metadata.ts';

export interface ExportOnnxOptions {
  /** How weights are stored; the graph computes in float32 either way. @default 'float32' */
  precision?: OnnxPrecision;
  /** Whether the last volume is an output too. @default true */
  volume?: boolean;
  /** Training card: anything that JSON can hold. */
  card?: unknown;
}

export const EXPORT_ONNX_DEFAULTS: Required<Omit<ExportOnnxOptions, 'card'>> = {
  precision: 'float32',
  volume: true,
};

/**
 * Writes G and P as one ONNX graph: `image` [batch, S, S, 3] in 0..1 -> `landmarks` [batch, n, 3] in crop unit
 * space and `volume` [batch, h, w, d, c] of the last stage. Batch normalisation behind convolutions is folded,
 * and the graph is channels-first between its ends. The file carries the crop rule, the axes, the options and
 * the card (`readModelInfo`).
 */
export async function exportOnnx(
  model: FaceShapeModel,
  options: ExportOnnxOptions = {},
): Promise<Uint8Array> {
  const { precision, volume } = withDefaults(EXPORT_ONNX_DEFAULTS, options);
  const { inputSize, volumeSize, depths, channels, regressorInput, regressorImage } = model.options;
  const builder = new GraphBuilder();
  for (const reserved of ['landmarks', 'volume']) builder.unique(reserved);
  const image = addInput(builder, 'image', [inputSize, inputSize, 3], { size: null });
  const stages = convertNetwork(builder, model.estimator, await readWeights(model.estimator), [image.value]);
  const last = stages[stages.length - 1];
  const feed: GraphValue[] = regressorInput === 'all' ? [...stages] : [last];
  if (regressorImage) feed.push(image.value);
  const [landmarks] = convertNetwork(builder, model.regressor, await readWeights(model.regressor), feed);
  const outputs: GraphOutput[] = [{ name: 'landmarks', value: landmarks }];
  if (volume) {
    const shape = [volumeSize, volumeSize, depths[depths.length - 1], channels];
    outputs.push({ name: 'volume', value: reshapeValue(last, shape)! });
  }
  return finishGraph(builder, [image.info], outputs, {
    name: 'voxface',
    description: 'Face landmarks through semantic volumes; written by @voxface/onnx',
    metadata: writeModelInfo(model.options, volume, options.card, model.confidence),
    precision,
  });
}

/** Options of `exportNetwork`. */
export interface ExportNetworkOptions {
  /** @default 'float32' */
  precision?: OnnxPrecision;
  /** Key-value pairs that are written into the file. @default {} */
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
  const { precision = EXPORT_NETWORK_DEFAULTS.precision, metadata = EXPORT_NETWORK_DEFAULTS.metadata } =
    options;
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
