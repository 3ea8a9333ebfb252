import type { GraphBuilder } from '../graph/graph-builder.ts';
import { isolateAxis, toChannelsFirst } from '../graph/materialize.ts';
import { type GraphValue, renamed } from '../graph/value.ts';
import { type LayerCall, transposeWeights, unsupported } from './layer-call.ts';

type Emit = (builder: GraphBuilder, x: string, hint: string) => string;

const one =
  (type: string, attributes: Record<string, { float: number }> = {}): Emit =>
  (builder, x, hint) =>
    builder.node(type, [x], hint, attributes);

/** Activation functions by the names of tfjs-layers; all but softmax work on any layout. */
const ELEMENTWISE: Readonly<Record<string, Emit>> = {
  elu: one('Elu'),
  hardSigmoid: one('HardSigmoid', { alpha: { float: 0.2 }, beta: { float: 0.5 } }),
  relu: one('Relu'),
  relu6: (builder, x, hint) =>
    builder.node(
      'Clip',
      [x, builder.floats(`${hint}_min`, [], [0]), builder.floats(`${hint}_max`, [], [6])],
      hint,
    ),
  selu: one('Selu'),
  sigmoid: one('Sigmoid'),
  softplus: one('Softplus'),
  softsign: one('Softsign'),
  tanh: one('Tanh'),
  swish: (builder, x, hint) => builder.node('Mul', [x, builder.node('Sigmoid', [x], `${hint}_gate`)], hint),
  mish: (builder, x, hint) => {
    const plus = builder.node('Softplus', [x], `${hint}_plus`);
    return builder.node('Mul', [x, builder.node('Tanh', [plus], `${hint}_gate`)], hint);
  },
};

/** Applies the activation that a layer names in its configuration; `linear` adds no node. */
export function activate(call: LayerCall, value: GraphValue, name: string, hint: string): GraphValue {
  if (name === 'linear' || name === undefined || name === null) return value;
  if (name === 'softmax') return softmaxAlong(call, value, value.axes.length - 1, hint);
  const emit = ELEMENTWISE[name] ?? ELEMENTWISE[name.replace(/_(\w)/g, (_, c: string) => c.toUpperCase())];
  if (emit === undefined) unsupported(call, `activation '${name}'`);
  return renamed(value, emit(call.builder, value.name, hint));
}

/** `Activation` layers. */
export function convertActivation(call: LayerCall): GraphValue {
  return activate(call, call.inputs[0], call.config.activation, call.name);
}

/** `ReLU` layers with or without an upper bound. */
export function convertReLU(call: LayerCall): GraphValue {
  const { builder, name, config, inputs } = call;
  const [value] = inputs;
  if (config.maxValue === null || config.maxValue === undefined) {
    return renamed(value, builder.node('Relu', [value.name], name));
  }
  const low = builder.floats(`${name}_min`, [], [0]);
  const high = builder.floats(`${name}_max`, [], [config.maxValue]);
  return renamed(value, builder.node('Clip', [value.name, low, high], name));
}

/** `LeakyReLU`, `ELU` and `ThresholdedReLU` layers. */
export function convertSlopedReLU(call: LayerCall): GraphValue {
  const types: Record<string, [type: string, key: string]> = {
    LeakyReLU: ['LeakyRelu', 'alpha'],
    ELU: ['Elu', 'alpha'],
    ThresholdedReLU: ['ThresholdedRelu', 'theta'],
  };
  const [type, key] = types[call.className];
  const [value] = call.inputs;
  const attributes = { alpha: { float: call.config[key] as number } };
  return renamed(value, call.builder.node(type, [value.name], call.name, attributes));
}

/** `Softmax` layers. */
export function convertSoftmax(call: LayerCall): GraphValue {
  const rank = call.inputs[0].axes.length;
  const axis = call.config.axis ?? -1;
  return softmaxAlong(call, call.inputs[0], axis < 0 ? axis + rank : axis, call.name);
}

/** `PReLU` layers: the slopes are laid out like the data. */
export function convertPReLU(call: LayerCall): GraphValue {
  const { builder, name, weights, inputs } = call;
  const rank = inputs[0].axes.length;
  const { value, spatial } = toChannelsFirst(builder, inputs[0], rank - 1);
  const perm = [rank - 1, ...spatial].map((axis) => axis - 1);
  const { data, shape } = transposeWeights(weights[0].data, weights[0].shape, perm);
  const slope = builder.floats(`${name}_alpha`, shape, data);
  return renamed(value, builder.node('PRelu', [value.name, slope], name));
}

function softmaxAlong(call: LayerCall, value: GraphValue, axis: number, hint: string): GraphValue {
  const isolated = isolateAxis(call.builder, value, axis);
  const name = call.builder.node('Softmax', [isolated.value.name], hint, { axis: isolated.dimension });
  return renamed(isolated.value, name);
}
