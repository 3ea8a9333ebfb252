import type { FaceShapeModel } from '@voxface/models';
import { addInput } from './export-network.ts';
import { finishGraph, type GraphOutput, type OnnxPrecision } from './finish-graph.ts';
import { convertNetwork, readWeights } from './graph/convert-network.ts';
import { GraphBuilder } from './graph/graph-builder.ts';
import { type GraphValue, reshapeValue } from './graph/value.ts';
import { writeModelInfo } from './metadata.ts';

export interface ExportOnnxOptions {
  /** How weights are stored; the graph computes in float32 either way. */
  precision?: OnnxPrecision;
  /** Whether the last volume is an output too. */
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
  const { precision, volume } = { ...EXPORT_ONNX_DEFAULTS, ...options };
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
    metadata: writeModelInfo(model.options, volume, options.card),
    precision,
  });
}
