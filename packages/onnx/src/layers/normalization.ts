import { toChannelsSecond } from '../graph/materialize.ts';
import { axisSize, type GraphValue, renamed } from '../graph/value.ts';
import type { LayerCall, LayerWeight } from './layer-call.ts';

/** `BatchNormalization` with its running statistics. */
export function convertBatchNormalization(call: LayerCall): GraphValue {
  const { builder, name, config, inputs, weights } = call;
  const rank = inputs[0].axes.length;
  const axis = config.axis < 0 ? config.axis + rank : config.axis;
  const value = toChannelsSecond(builder, inputs[0], axis);
  const channels = axisSize(value.axes[axis]);
  const rest = [...weights];
  const constant = (shown: boolean, fill: number): LayerWeight =>
    shown ? rest.shift()! : { shape: [channels], data: new Float32Array(channels).fill(fill) };
  const gamma = constant(config.scale ?? true, 1);
  const beta = constant(config.center ?? true, 0);
  const [mean, variance] = rest;
  const parts: [string, LayerWeight][] = [
    ['gamma', gamma],
    ['beta', beta],
    ['mean', mean],
    ['variance', variance],
  ];
  const names = parts.map(([part, w]) => builder.floats(`${name}_${part}`, [channels], w.data));
  const epsilon = { float: config.epsilon as number };
  return renamed(value, builder.node('BatchNormalization', [value.name, ...names], name, { epsilon }));
}

/** `Rescaling`: x scale + offset. */
export function convertRescaling(call: LayerCall): GraphValue {
  const { builder, name, config, inputs } = call;
  const { scale = 1, offset = 0 } = config;
  let x = inputs[0].name;
  if (scale !== 1) {
    x = builder.node(
      'Mul',
      [x, builder.floats(`${name}_scale`, [], [scale])],
      offset === 0 ? name : `${name}_scaled`,
    );
  }
  if (offset !== 0) x = builder.node('Add', [x, builder.floats(`${name}_offset`, [], [offset])], name);
  return renamed(inputs[0], x);
}
