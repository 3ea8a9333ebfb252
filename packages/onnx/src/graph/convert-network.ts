import type { LayersModel } from '@tensorflow/tfjs-layers';
import { LAYER_CONVERTERS } from '../layers/converters.ts';
import type { LayerWeight } from '../layers/layer-call.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { GraphValue } from './value.ts';

type Layer = LayersModel['layers'][number];

/** [layer name, use of the layer, output of that use] */
type TensorReference = [string, number, number, ...unknown[]];

interface LayerEntry {
  readonly name: string;
  readonly className: string;
  readonly config: { readonly name: string };
  /** One list of inputs per use. */
  readonly inboundNodes?: readonly (readonly TensorReference[])[];
}

/** Weights of all layers, read before the conversion because some backends can only be read asynchronously. */
export type NetworkWeights = ReadonlyMap<object, readonly LayerWeight[]>;

/** Downloads the weights of a model and of the models inside it. */
export async function readWeights(model: LayersModel): Promise<NetworkWeights> {
  const weights = new Map<object, LayerWeight[]>();
  for (const layer of model.layers) {
    if (isNetwork(layer)) {
      for (const [key, value] of await readWeights(layer)) weights.set(key, [...value]);
      continue;
    }
    const tensors = layer.getWeights();
    const data = await Promise.all(tensors.map((tensor) => tensor.data()));
    weights.set(
      layer,
      tensors.map((tensor, i) => ({ shape: tensor.shape, data: Float32Array.from(data[i]) })),
    );
  }
  return weights;
}

/**
 * Writes the nodes of a functional or sequential model behind the given inputs. Layers that are used several
 * times and models inside models are written once per use.
 * @returns one value per output of the model.
 * @throws RangeError naming the first layer that has no converter.
 */
export function convertNetwork(
  builder: GraphBuilder,
  model: LayersModel,
  weights: NetworkWeights,
  inputs: readonly GraphValue[],
): GraphValue[] {
  if (model.getClassName() === 'Sequential') return convertSequence(builder, model, weights, inputs);
  const config = model.getConfig() as unknown as {
    layers: LayerEntry[];
    inputLayers: TensorReference[];
    outputLayers: TensorReference[];
  };
  const entries = new Map(config.layers.map((entry) => [entry.name, entry]));
  const done = new Map<string, GraphValue[]>();
  config.inputLayers.forEach(([name], i) => {
    done.set(`${name}/0`, [inputs[i]]);
  });
  const resultOf = ([name, use, output]: TensorReference): GraphValue => {
    const key = `${name}/${use}`;
    let values = done.get(key);
    if (values === undefined) {
      const entry = entries.get(name)!;
      const layer = model.getLayer(name);
      // tfjs-layers counts a network's own definition as its first use.
      const fed = entry.inboundNodes![isNetwork(layer) ? use - 1 : use].map(resultOf);
      values = convertLayer(builder, layer, weights, fed);
      done.set(key, values);
    }
    return values[output];
  };
  return config.outputLayers.map(resultOf);
}

function convertSequence(
  builder: GraphBuilder,
  model: LayersModel,
  weights: NetworkWeights,
  inputs: readonly GraphValue[],
): GraphValue[] {
  let values = [...inputs];
  for (const layer of model.layers) {
    if (layer.getClassName() !== 'InputLayer') values = convertLayer(builder, layer, weights, values);
  }
  return values;
}

function convertLayer(
  builder: GraphBuilder,
  layer: Layer,
  weights: NetworkWeights,
  inputs: readonly GraphValue[],
): GraphValue[] {
  if (isNetwork(layer)) return convertNetwork(builder, layer, weights, inputs);
  const className = layer.getClassName();
  if (!Object.hasOwn(LAYER_CONVERTERS, className)) {
    throw new RangeError(
      `exportNetwork: layer '${layer.name}' is of type ${className}, which has no ONNX form here (supported: ${Object.keys(LAYER_CONVERTERS).join(', ')})`,
    );
  }
  const call = {
    builder,
    name: layer.name,
    className,
    config: layer.getConfig(),
    inputs,
    weights: weights.get(layer) ?? [],
  };
  return [LAYER_CONVERTERS[className](call)];
}

function isNetwork(layer: object): layer is LayersModel {
  return 'layers' in layer && Array.isArray(layer.layers);
}
