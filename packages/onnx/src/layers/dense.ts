import { toPlain } from '../graph/materialize.ts';
import { createAxis, type GraphValue, plainValue } from '../graph/value.ts';
import { activate } from './activation.ts';
import type { LayerCall } from './layer-call.ts';

/** `Dense`: `Gemm` on vectors, `MatMul` along the last axis of anything larger. */
export function convertDense(call: LayerCall): GraphValue {
  const { builder, name, inputs, weights, config } = call;
  const [kernel, bias] = weights;
  const value = toPlain(builder, inputs[0]);
  const names = [builder.floats(`${name}_kernel`, kernel.shape, kernel.data)];
  if (bias !== undefined) names.push(builder.floats(`${name}_bias`, bias.shape, bias.data));
  const axes = [...value.axes.slice(0, -1), createAxis(kernel.shape[1])];
  let result: string;
  if (value.axes.length === 2) {
    result = builder.node('Gemm', [value.name, ...names], name);
  } else {
    result = builder.node('MatMul', [value.name, names[0]], bias ? `${name}_product` : name);
    if (bias !== undefined) result = builder.node('Add', [result, names[1]], name);
  }
  return activate(call, plainValue(result, axes), config.activation, `${name}_${config.activation}`);
}
