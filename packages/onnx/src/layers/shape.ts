import { toChannelsFirst, toPlain } from '../graph/materialize.ts';
import {
  type Axis,
  axisSize,
  createAxis,
  type GraphValue,
  plainValue,
  reshapeValue,
} from '../graph/value.ts';
import { channelAxisOf, type LayerCall, toList, unsupported } from './layer-call.ts';

/** Layers that pass data through at prediction: dropout, noise, regularization. */
export function convertIdentity(call: LayerCall): GraphValue {
  return call.inputs[0];
}

/** `Reshape`. Moves no data where the new axes can be told apart inside the old ones. */
export function convertReshape(call: LayerCall): GraphValue {
  // tfjs-layers writes the open size as null.
  const sizes: number[] = call.config.targetShape.map((size: number | null) => size ?? -1);
  const total = call.inputs[0].axes.slice(1).reduce((product, axis) => product * axisSize(axis), 1);
  const open = sizes.indexOf(-1);
  if (open >= 0)
    sizes[open] = total / sizes.reduce((product, size) => (size === -1 ? product : product * size), 1);
  return regroup(call, sizes);
}

/** `Flatten`: [b, ...] -> [b, e]. */
export function convertFlatten(call: LayerCall): GraphValue {
  let [input] = call.inputs;
  if (call.config.dataFormat === 'channelsFirst' && input.axes.length > 2) {
    input = { ...input, axes: [input.axes[0], ...input.axes.slice(2), input.axes[1]] };
  }
  const total = input.axes.slice(1).reduce((product, axis) => product * axisSize(axis), 1);
  return regroup({ ...call, inputs: [input] }, [total]);
}

function regroup(call: LayerCall, sizes: readonly number[]): GraphValue {
  const tracked = reshapeValue(call.inputs[0], sizes);
  if (tracked !== null) return tracked;
  const plain = toPlain(call.builder, call.inputs[0]);
  const axes: Axis[] = [plain.axes[0], ...sizes.map((size) => createAxis(size))];
  const name = call.builder.node('Reshape', [plain.name, call.builder.integers([-1, ...sizes])], call.name);
  return plainValue(name, axes);
}

/** `Permute`: a change of names, no data moves. `dims` counts from 1. */
export function convertPermute(call: LayerCall): GraphValue {
  const [input] = call.inputs;
  const order: number[] = call.config.dims;
  return { ...input, axes: [input.axes[0], ...order.map((axis) => input.axes[axis])] };
}

/** `RepeatVector`: [b, c] -> [b, n, c]. */
export function convertRepeatVector(call: LayerCall): GraphValue {
  const [input] = call.inputs;
  return { ...input, axes: [input.axes[0], createAxis(call.config.n), input.axes[1]] };
}

/** `UpSampling2D`; along one axis alone it moves nothing until the numbers are needed. */
export function convertUpSampling(call: LayerCall): GraphValue {
  const { builder, name, config, inputs } = call;
  const channelAxis = channelAxisOf(call, inputs[0].axes.length);
  const natural = inputs[0].axes.map((_, i) => i).filter((i) => i !== 0 && i !== channelAxis);
  const factors = toList(config.size, natural.length);
  const nearest = (config.interpolation ?? 'nearest') === 'nearest';
  if (!nearest && config.interpolation !== 'bilinear')
    unsupported(call, `interpolation '${config.interpolation}'`);
  if (nearest && factors.filter((factor) => factor !== 1).length < 2) {
    const axes = inputs[0].axes.map((axis, i) => [...axis, ...createAxis(factors[natural.indexOf(i)] ?? 1)]);
    return { ...inputs[0], axes };
  }
  const { value, spatial } = toChannelsFirst(builder, inputs[0], channelAxis);
  const turned = spatial.map((axis) => factors[natural.indexOf(axis)]);
  const scales = builder.floats(`${name}_scales`, [turned.length + 2], [1, 1, ...turned]);
  const result = builder.node('Resize', [value.name, '', scales], name, {
    mode: nearest ? 'nearest' : 'linear',
    coordinate_transformation_mode: 'asymmetric',
    nearest_mode: 'floor',
  });
  const axes = [...value.axes];
  spatial.forEach((axis, i) => {
    axes[axis] = createAxis(axisSize(value.axes[axis]) * turned[i]);
  });
  return { name: result, dims: [axes[0], axes[channelAxis], ...spatial.map((axis) => axes[axis])], axes };
}

/** `ZeroPadding2D` and `Cropping2D`. */
export function convertBorder(call: LayerCall): GraphValue {
  const { builder, name, className, config, inputs } = call;
  const channelAxis = channelAxisOf(call, inputs[0].axes.length);
  const natural = inputs[0].axes.map((_, i) => i).filter((i) => i !== 0 && i !== channelAxis);
  const { value, spatial } = toChannelsFirst(builder, inputs[0], channelAxis);
  const crops = className.startsWith('Cropping');
  const setting: (number | [number, number])[] = toPairs(crops ? config.cropping : config.padding);
  const pairs = spatial.map((axis) => toList(setting[natural.indexOf(axis)], 2));
  const sign = crops ? -1 : 1;
  const axes = [...value.axes];
  spatial.forEach((axis, i) => {
    axes[axis] = createAxis(axisSize(value.axes[axis]) + sign * (pairs[i][0] + pairs[i][1]));
  });
  const pads = [0, 0, ...pairs.map((p) => sign * p[0]), 0, 0, ...pairs.map((p) => sign * p[1])];
  const result = builder.node('Pad', [value.name, builder.integers(pads)], name, { mode: 'constant' });
  return { name: result, dims: [axes[0], axes[channelAxis], ...spatial.map((axis) => axes[axis])], axes };
}

function toPairs(setting: number | (number | [number, number])[]): (number | [number, number])[] {
  return typeof setting === 'number' ? [setting, setting] : setting;
}
